/** What becomes of seeds after a run: they stay, go on by one, or are drawn anew. */

import type { Command } from "../graph/commands/command";
import { setInput } from "../graph/commands/inputs";
import type { Graph, Value, Workflow } from "../graph/document";
import { graphAt, graphPaths, withGraph } from "../graph/graphs";
import type { GraphPath, NodeId } from "../graph/ids";
import { integer, isObject, type Json } from "../graph/json";
import { at, entriesOf, keysOf, put } from "../graph/tables";

export type SeedMode = "fixed" | "random" | "increment";

const HIGHEST = 2n ** 64n - 1n;
/** Drawn seeds are so short that they can be read out. */
const DRAWN = 2 ** 32;

/** What a seed does after a run. It is kept with the node's place, for it does not change results. */
export function seedMode(graph: Graph, node: NodeId, input: string): SeedMode {
  const modes = at(graph.view?.nodes, node)?.["seeds"];
  const mode = isObject(modes) ? at(modes, input) : undefined;
  return mode === "random" || mode === "increment" ? mode : "fixed";
}

/** Sets what a seed does after a run. */
export function setSeedMode(path: GraphPath, node: NodeId, input: string, mode: SeedMode): Command {
  return {
    name: "set_seed_mode",
    apply: (workflow) =>
      withGraph(workflow, path, (graph) => {
        const place = at(graph.view?.nodes, node) ?? {};
        const modes = isObject(place["seeds"]) ? place["seeds"] : {};
        const seeds = put(modes, input, mode);
        if (seeds === modes) return graph;
        const nodes = put(graph.view?.nodes ?? {}, node, { ...place, seeds });
        return { ...graph, view: { ...graph.view, nodes } };
      }),
  };
}

/** Goes back to a seed, and stays with it. */
export function keepSeed(
  path: GraphPath,
  node: NodeId,
  input: string,
  seed: number | bigint,
): Command {
  const write = setInput(path, node, input, seed);
  const fix = setSeedMode(path, node, input, "fixed");
  return {
    name: "keep_seed",
    apply: (workflow, catalogue) => fix.apply(write.apply(workflow, catalogue), catalogue),
  };
}

/** After a run: every seed as its mode says. The same document if all are fixed. */
export function advanceSeeds(draw: () => number = drawSeed): Command {
  return {
    name: "advance_seeds",
    apply: (workflow: Workflow): Workflow =>
      graphPaths(workflow).reduce(
        (changed, path) => withGraph(changed, path, (graph) => advanced(graph, draw)),
        workflow,
      ),
  };
}

/** The saved document, with each seed that a run moved where it was as it was before the run. */
export function movedAlong(saved: Workflow, before: Workflow, after: Workflow): Workflow {
  if (saved === before) return after;
  return graphPaths(after).reduce(
    (changed, path) =>
      withGraph(changed, path, (graph) =>
        alongIn(graph, graphAt(before, path), graphAt(after, path)),
      ),
    saved,
  );
}

function alongIn(saved: Graph, before: Graph | undefined, after: Graph | undefined): Graph {
  let nodes = saved.nodes;
  for (const [id, place] of entriesOf(after?.view?.nodes)) {
    for (const input of isObject(place["seeds"]) ? keysOf(place["seeds"]) : []) {
      const node = at(nodes, id);
      const [old, next] = [before, after].map((graph) => at(at(graph?.nodes, id)?.inputs, input));
      if (node === undefined || next === undefined || at(node.inputs, input) !== old) continue;
      nodes = put(nodes, id, { ...node, inputs: put(node.inputs, input, next) });
    }
  }
  return nodes === saved.nodes ? saved : { ...saved, nodes };
}

/** Whether a run would change a seed of the document. */
export const hasMovingSeeds = (workflow: Workflow): boolean =>
  graphPaths(workflow).some((path) => {
    const graph = graphAt(workflow, path);
    return graph !== undefined && advanced(graph, () => -1) !== graph;
  });

function advanced(graph: Graph, draw: () => number): Graph {
  let nodes = graph.nodes;
  for (const [id, place] of entriesOf(graph.view?.nodes)) {
    for (const [input, mode] of isObject(place["seeds"]) ? entriesOf(place["seeds"]) : []) {
      const node = at(nodes, id);
      const seed = node && nextSeed(at(node.inputs, input), mode, draw);
      if (node === undefined || seed === undefined) continue;
      nodes = put(nodes, id, { ...node, inputs: put(node.inputs, input, seed) });
    }
  }
  return nodes === graph.nodes ? graph : { ...graph, nodes };
}

/** The seed after one; nothing if it stays, or is no number but a link or an axis. */
export function nextSeed(
  seed: Value | undefined,
  mode: Json,
  draw: () => number,
): Json | undefined {
  const isAbsent = seed === undefined;
  if (!isAbsent && typeof seed !== "number" && typeof seed !== "bigint") return undefined;
  if (mode === "random") return draw();
  if (mode !== "increment") return undefined;
  const next = BigInt(seed ?? 0) + 1n;
  return next > HIGHEST ? 0 : integer(next);
}

/** A seed by chance, below an end and of ten digits at most. */
export function drawSeed(end = BigInt(DRAWN)): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  return drawn % Math.min(DRAWN, Number(end));
}
