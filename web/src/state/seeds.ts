/** What becomes of seeds after a run: they stay, go on by one, or are drawn anew. */

import type { Graph, Json, Workflow } from "../graph/document";
import type { NodeId } from "../graph/ids";
import type { GraphPath } from "./tabs";

export type SeedMode = "fixed" | "random" | "increment";

const HIGHEST = 2n ** 64n - 1n;
/** Drawn seeds are so short that they can be read out. */
const DRAWN = 2 ** 32;

/** What a seed does after a run. It is kept with the node's place, for it does not change results. */
export function seedMode(graph: Graph, node: NodeId, input: string): SeedMode {
  const modes = graph.view?.nodes?.[node]?.["seeds"];
  if (typeof modes !== "object" || modes === null || !(input in modes)) return "fixed";
  const mode: unknown = Reflect.get(modes, input);
  return mode === "random" || mode === "increment" ? mode : "fixed";
}

/** The command that sets what a seed does after a run. */
export function setSeedMode(path: GraphPath, node: NodeId, input: string, mode: SeedMode) {
  return {
    name: "setSeedMode",
    apply: (workflow: Workflow): Workflow =>
      within(workflow, path, (graph) => withMode(graph, node, input, mode)),
  };
}

function withMode<G extends Graph>(graph: G, node: NodeId, input: string, mode: SeedMode): G {
  const place = graph.view?.nodes?.[node] ?? { x: 0, y: 0 };
  const kept = typeof place["seeds"] === "object" ? place["seeds"] : {};
  const nodes = { ...graph.view?.nodes, [node]: { ...place, seeds: { ...kept, [input]: mode } } };
  return { ...graph, view: { ...graph.view, nodes } };
}

function within<G extends Graph>(
  graph: G,
  path: GraphPath,
  change: <H extends Graph>(g: H) => H,
): G {
  const [first, ...rest] = path;
  if (first === undefined) return change(graph);
  const inner = graph.subgraphs?.[first];
  if (inner === undefined) return graph;
  return { ...graph, subgraphs: { ...graph.subgraphs, [first]: within(inner, rest, change) } };
}

/** The command after a run: every seed as its mode says. The same document if all are fixed. */
export function advanceSeeds(draw: () => number = drawSeed) {
  return {
    name: "advanceSeeds",
    apply: (workflow: Workflow): Workflow => advanced(workflow, draw),
  };
}

function advanced<G extends Graph>(graph: G, draw: () => number): G {
  let result = graph;
  for (const [id, place] of Object.entries(graph.view?.nodes ?? {})) {
    const modes = place["seeds"];
    const node = Object.hasOwn(graph.nodes, id) ? graph.nodes[id] : undefined;
    if (typeof modes !== "object" || modes === null || node === undefined) continue;
    for (const [input, mode] of Object.entries(modes)) {
      const seed = nextSeed(node.inputs[input], mode, draw);
      if (seed === undefined) continue;
      const old = result.nodes[id] ?? node;
      const changed = { ...old, inputs: { ...old.inputs, [input]: seed } };
      result = { ...result, nodes: { ...result.nodes, [id]: changed } };
    }
  }
  for (const [name, inner] of Object.entries(graph.subgraphs ?? {})) {
    const next = advanced(inner, draw);
    if (next === inner) continue;
    result = { ...result, subgraphs: { ...result.subgraphs, [name]: next } };
  }
  return result;
}

/** The seed after one; nothing if it stays, or is no number but a link or an axis. */
export function nextSeed(seed: unknown, mode: unknown, draw: () => number): Json | undefined {
  const isAbsent = seed === undefined;
  if (!isAbsent && typeof seed !== "number" && typeof seed !== "bigint") return undefined;
  if (mode === "random") return draw();
  if (mode !== "increment") return undefined;
  const next = BigInt(seed ?? 0) + 1n;
  return next > HIGHEST ? 0 : Number(next);
}

function drawSeed(): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  return drawn % DRAWN;
}
