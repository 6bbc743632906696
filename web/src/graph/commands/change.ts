/** How one graph is changed so that the rest of the document stays in step with it. */

import type { Graph, GraphNode, View, Workflow } from "../document";
import { movedEnd } from "../ends";
import { graphAt, instancesOf, nodesOf, withGraph } from "../graphs";
import type { GraphPath, NodeId } from "../ids";
import { isList, isObject, type Json } from "../json";
import { at, drop, entriesOf, has, keysOf, mapTable, put, renameKey, tableOf } from "../tables";
import { link, linksIn, replaceLinks } from "../values";

/** New names of a graph's named inputs and outputs, by the old ones. */
export interface Renames {
  readonly inputs?: ReadonlyMap<string, string>;
  readonly outputs?: ReadonlyMap<string, string>;
}

/**
 * The workflow with one graph changed. What hangs on removed parts goes with them: places of nodes
 * and reroutes in the view; and where the graph stands as a node, the values of named inputs and the
 * links to named outputs that are gone. Renamed ones are followed.
 */
export function changeGraph(
  workflow: Workflow,
  path: GraphPath,
  change: (graph: Graph) => Graph,
  renames: Renames = {},
): Workflow {
  const before = graphAt(workflow, path);
  if (before === undefined) return workflow;
  const changed = withGraph(workflow, path, (graph) => pruned(graph, change(graph)));
  const after = graphAt(changed, path);
  if (after === undefined || after === before) return changed;
  const moves: Moves = {
    inputs: moved(before.inputs, after.inputs, renames.inputs),
    outputs: moved(before.outputs, after.outputs, renames.outputs),
  };
  if (moves.inputs.size === 0 && moves.outputs.size === 0) return changed;
  return instancesOf(changed, path).reduce(
    (result, { path: around, id }) =>
      changeGraph(result, around, (graph) => following(graph, id, moves)),
    changed,
  );
}

type Moves = {
  readonly [role in "inputs" | "outputs"]: ReadonlyMap<string, string | undefined>;
};

function moved(
  before: Graph["inputs"] | Graph["outputs"],
  after: Graph["inputs"] | Graph["outputs"],
  renames: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string | undefined> {
  const moves = new Map<string, string | undefined>();
  for (const name of keysOf(before)) {
    const next = renames.get(name) ?? name;
    if (next !== name && has(after, next)) moves.set(name, next);
    else if (!has(after, name)) moves.set(name, undefined);
  }
  return moves;
}

/** The graph around an instance, after the inputs and outputs of its definition moved. */
function following(graph: Graph, id: NodeId, { inputs, outputs }: Moves): Graph {
  const nodes = mapTable(graph.nodes, (node, each) => {
    const relinked = outputs.size === 0 ? node : relinkedNode(node, id, outputs);
    return each === id ? renamedInputs(relinked, inputs, outputs) : relinked;
  });
  return {
    ...graph,
    nodes,
    inputs: mapTable(graph.inputs, (end) =>
      movedEnd(end, (each) => {
        if (each.node !== id || !inputs.has(each.input)) return each;
        const input = inputs.get(each.input);
        return input === undefined ? undefined : { ...each, input };
      }),
    ),
    outputs: mapTable(graph.outputs, (end) => {
      if (end.node !== id || !outputs.has(end.output)) return end;
      const output = outputs.get(end.output);
      return output === undefined ? undefined : { ...end, output };
    }),
    ...(graph.view?.reroutes === undefined
      ? {}
      : {
          view: {
            ...graph.view,
            reroutes: graph.view.reroutes.flatMap((dot) => {
              if (dot.node !== id || !inputs.has(dot.input)) return [dot];
              const input = inputs.get(dot.input);
              return input === undefined ? [] : [{ ...dot, input }];
            }),
          },
        }),
  };
}

function relinkedNode(node: GraphNode, id: NodeId, outputs: Moves["outputs"]): GraphNode {
  return relinked(node, (source, output) => {
    if (source !== id || !outputs.has(output)) return [source, output];
    const next = outputs.get(output);
    return next === undefined ? undefined : [source, next];
  });
}

/** The names by which a `Map` or `Loop` speaks of inputs and outputs move with them. */
function renamedInputs(
  node: GraphNode,
  moves: Moves["inputs"],
  gives: Moves["outputs"],
): GraphNode {
  let values = node.inputs;
  for (const [old, next] of moves) {
    values = next === undefined ? drop(values, old) : renameKey(values, old, next);
  }
  let changed: GraphNode = values === node.inputs ? node : { ...node, inputs: values };
  const { each, carry, until } = node;
  const name = (names: ReadonlyMap<string, string | undefined>, old: Json): Json | undefined =>
    typeof old === "string" && names.has(old) ? names.get(old) : old;
  if (isList(each)) {
    const kept = each.map((old) => name(moves, old)).filter((old) => old !== undefined);
    changed = { ...changed, each: kept };
  }
  if (isObject(carry)) {
    const kept = entriesOf(carry).flatMap(([input, output]): [string, Json][] => {
      const [next, source] = [name(moves, input), name(gives, output)];
      return typeof next === "string" && source !== undefined ? [[next, source]] : [];
    });
    changed = { ...changed, carry: tableOf(kept) };
  }
  if (until !== undefined) {
    const next = name(gives, until);
    changed = next === undefined ? withoutKey(changed, "until") : { ...changed, until: next };
  }
  return changed;
}

/** A node with some of its own keys left out; those of every node stay. */
export function withoutKey(node: GraphNode, ...keys: readonly string[]): GraphNode {
  const { type, version, inputs } = node;
  return { ...drop(node, ...keys), type, version, inputs };
}

/** The node with its links led elsewhere; a link that leads nowhere goes, and its input with it. */
export function relinked(
  node: GraphNode,
  follow: (node: NodeId, output: string) => readonly [NodeId, string] | undefined,
): GraphNode {
  const inputs = mapTable(node.inputs, (value) =>
    replaceLinks(value, (old) => {
      const next = follow(...old.$link);
      if (next === undefined) return undefined;
      const isSame = next[0] === old.$link[0] && next[1] === old.$link[1];
      return isSame ? old : link(...next);
    }),
  );
  return inputs === node.inputs ? node : { ...node, inputs };
}

/** The changed graph without what the view kept for nodes and wires that are gone. */
function pruned(before: Graph, after: Graph): Graph {
  const { view } = after;
  if (after === before || view === undefined) return after;
  const isGone = (id: string): boolean => has(before.nodes, id) && !has(after.nodes, id);
  const gone = keysOf(view.nodes).filter(isGone);
  const reroutes = view.reroutes?.filter(
    (dot) => !isGone(dot.node) && (!isWired(before, dot) || isWired(after, dot)),
  );
  const isSame = gone.length === 0 && reroutes?.length === view.reroutes?.length;
  if (isSame) return after;
  return {
    ...after,
    view: {
      ...view,
      ...(view.nodes === undefined ? {} : { nodes: drop(view.nodes, ...gone) }),
      ...(reroutes === undefined ? {} : { reroutes }),
    },
  };
}

function isWired(graph: Graph, { node, input }: { node: NodeId; input: string }): boolean {
  const inputs = at(graph.nodes, node)?.inputs;
  return linksIn(at(inputs, input)).length > 0;
}

/** The graph with one node changed. */
export function withNode(graph: Graph, id: NodeId, change: (node: GraphNode) => GraphNode): Graph {
  const node = at(graph.nodes, id);
  if (node === undefined) return graph;
  const changed = change(node);
  return changed === node ? graph : { ...graph, nodes: put(graph.nodes, id, changed) };
}

/** The graph with its view changed. */
export function withView(graph: Graph, change: (view: View) => View): Graph {
  const view = graph.view ?? {};
  const changed = change(view);
  return changed === view ? graph : { ...graph, view: changed };
}

/** Whether an id may still be given to a node. */
export function isTaken(graph: Graph | undefined): (id: string) => boolean {
  const ids = new Set<string>(nodesOf(graph).map(([id]) => id));
  return (id) => ids.has(id);
}
