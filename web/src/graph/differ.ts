/** What differs between two workflows, for history and compare: nodes, values and links, not lines. */

import type { Graph, GraphNode, Workflow } from "./document";
import { graphName, type GraphPath, nodeId, type NodeId } from "./ids";
import { type Json, same } from "./json";
import { at, drop, has, keysOf, type Table } from "./tables";
import { linksIn } from "./values";

export type Difference = {
  readonly path: GraphPath;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
} & (
  | {
      readonly kind: "node_added" | "node_removed" | "node_type" | "node_mode" | "node_key";
      readonly node: NodeId;
      readonly name: string | undefined;
    }
  | { readonly kind: "value" | "link"; readonly node: NodeId; readonly name: string }
  | {
      readonly kind: "named_input" | "named_output" | "subgraph" | "document" | "view";
      readonly node: undefined;
      readonly name: string;
    }
);

/** Every difference, those of values and links first; `view` is told once for each graph, if asked for. */
export function differ(
  before: Workflow,
  after: Workflow,
  options: { view?: boolean } = {},
): Difference[] {
  const found = [...graphs(before, after, [], options.view === true)];
  const rank = ({ kind }: Difference): number =>
    kind === "value" || kind === "link" ? 0 : kind === "view" ? 2 : 1;
  return found.sort((a, b) => rank(a) - rank(b));
}

function* graphs(a: Graph, b: Graph, path: GraphPath, withView: boolean): Generator<Difference> {
  if (a === b) return;
  for (const id of union(a.nodes, b.nodes))
    yield* nodes(path, nodeId(id), at(a.nodes, id), at(b.nodes, id));
  for (const name of apart(a.inputs, b.inputs)) {
    const [before, after] = [at(a.inputs, name), at(b.inputs, name)];
    yield { kind: "named_input", path, node: undefined, name, before, after };
  }
  for (const name of apart(a.outputs, b.outputs)) {
    const [before, after] = [at(a.outputs, name), at(b.outputs, name)];
    yield { kind: "named_output", path, node: undefined, name, before, after };
  }
  for (const name of union(a.subgraphs, b.subgraphs)) {
    const [before, after] = [at(a.subgraphs, name), at(b.subgraphs, name)];
    if (before !== undefined && after !== undefined) {
      yield* graphs(before, after, [...path, graphName(name)], withView);
    } else yield { kind: "subgraph", path, node: undefined, name, before, after };
  }
  const [restA, restB] = [rest(a), rest(b)];
  for (const name of apart(restA, restB)) {
    const [before, after] = [at(restA, name), at(restB, name)];
    yield { kind: "document", path, node: undefined, name, before, after };
  }
  if (withView && !same(a.view, b.view)) {
    yield { kind: "view", path, node: undefined, name: "view", before: a.view, after: b.view };
  }
}

function* nodes(
  path: GraphPath,
  node: NodeId,
  a: GraphNode | undefined,
  b: GraphNode | undefined,
): Generator<Difference> {
  if (a === b) return;
  if (a === undefined || b === undefined) {
    const kind = a === undefined ? "node_added" : "node_removed";
    yield { kind, path, node, name: undefined, before: a, after: b };
    return;
  }
  if (a.type !== b.type || a.version !== b.version) {
    yield { kind: "node_type", path, node, name: undefined, before: a.type, after: b.type };
  }
  if (a.mode !== b.mode) {
    const [before, after] = [a.mode ?? "normal", b.mode ?? "normal"];
    yield { kind: "node_mode", path, node, name: undefined, before, after };
  }
  for (const name of apart(a.inputs, b.inputs)) {
    const [before, after] = [at(a.inputs, name), at(b.inputs, name)];
    const isLinked = linksIn(before).length > 0 || linksIn(after).length > 0;
    yield { kind: isLinked ? "link" : "value", path, node, name, before, after };
  }
  const [restA, restB] = [nodeRest(a), nodeRest(b)];
  for (const name of apart(restA, restB)) {
    yield { kind: "node_key", path, node, name, before: at(restA, name), after: at(restB, name) };
  }
}

function rest(graph: Graph): Table<Json> {
  return drop<Json>(graph, "inputs", "outputs", "nodes", "subgraphs", "view");
}

function nodeRest(node: GraphNode): Table<Json> {
  return drop<Json>(node, "type", "version", "mode", "inputs");
}

function union(a: Table<unknown> | undefined, b: Table<unknown> | undefined): string[] {
  return [...keysOf(a), ...keysOf(b).filter((key) => !has(a, key))];
}

/** Names whose values differ, or that only one side has. */
function apart(a: Table<Json>, b: Table<Json>): string[] {
  return union(a, b).filter((key) => !same(at(a, key), at(b, key)));
}
