/** Subgraphs carried from one place to another: which a set of nodes needs, and under which names. */

import type { Graph, GraphNode, Workflow } from "./document";
import { definitionPath, graphAt, nodesOf } from "./graphs";
import { freshName, graphName, type GraphPath } from "./ids";
import { same } from "./json";
import { at, drop, entriesOf, has, keysOf, mapTable, put, type Table, tableOf } from "./tables";

type Graphs = Table<Graph>;

/** The graphs that nodes name, and those that these name outside themselves, by name. */
export function graphsNeeded(workflow: Workflow, path: GraphPath, nodes: Table<GraphNode>): Graphs {
  const found: [string, Graph][] = [];
  const look = (from: GraphPath, names: readonly string[]): void => {
    for (const name of names) {
      const where = definitionPath(workflow, from, graphName(name));
      const graph = where && graphAt(workflow, where);
      if (where === undefined || graph === undefined || found.some(([each]) => each === name))
        continue;
      found.push([name, graph]);
      look(where.slice(0, -1), outwardNames(graph));
    }
  };
  look(path, namesIn(nodes));
  return tableOf(found);
}

/** The names of graphs that a graph must find around itself. */
function outwardNames(graph: Graph): string[] {
  const inner = entriesOf(graph.subgraphs).flatMap(([, each]) => outwardNames(each));
  const own = new Set(keysOf(graph.subgraphs));
  return [...new Set([...namesIn(graph.nodes), ...inner])].filter((name) => !own.has(name));
}

function namesIn(nodes: Table<GraphNode>): string[] {
  return [
    ...new Set(entriesOf(nodes).flatMap(([, { graph }]) => (graph === undefined ? [] : [graph]))),
  ];
}

/** Every name of a graph that nodes within the graph at a path may already mean. */
export function namesInScope(workflow: Workflow, path: GraphPath): Set<string> {
  const names = new Set<string>();
  for (let length = 0; length <= path.length; length += 1) {
    keysOf(graphAt(workflow, path.slice(0, length))?.subgraphs).forEach((name) => names.add(name));
  }
  const walk = (graph: Graph | undefined): void => {
    for (const [, node] of nodesOf(graph)) if (node.graph !== undefined) names.add(node.graph);
    for (const [name, inner] of entriesOf(graph?.subgraphs)) {
      names.add(name);
      walk(inner);
    }
  };
  walk(graphAt(workflow, path));
  return names;
}

export interface Settled {
  /** The graphs to put among the subgraphs of the target. */
  readonly added: Graphs;
  /** What each graph is called there. */
  readonly names: ReadonlyMap<string, string>;
}

/** How carried graphs settle in the graph at a path: one that is there already is used as it is. */
export function settled(workflow: Workflow, path: GraphPath, carried: Graphs): Settled {
  const taken = namesInScope(workflow, path);
  const names = new Map<string, string>();
  for (const [name, graph] of entriesOf(carried)) {
    const where = definitionPath(workflow, path, graphName(name));
    const isThere = where !== undefined && same(graphAt(workflow, where), graph);
    const isFree = !taken.has(name);
    const next =
      isThere || isFree ? name : freshName(name, (each) => taken.has(each) || has(carried, each));
    taken.add(next);
    names.set(name, next);
  }
  const added = entriesOf(carried).flatMap(([name, graph]): [string, Graph][] => {
    const next = names.get(name) ?? name;
    const where = definitionPath(workflow, path, graphName(next));
    return where === undefined ? [[next, withGraphNames(graph, names)]] : [];
  });
  return { added: tableOf(added), names };
}

/** The graph with the graphs that it names outside itself under other names. */
export function withGraphNames(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  const own = keysOf(graph.subgraphs);
  const outer = new Map([...names].filter(([name, next]) => name !== next && !own.includes(name)));
  if (outer.size === 0) return graph;
  const nodes = withGraphNamed(graph.nodes, outer);
  if (graph.subgraphs === undefined) return { ...graph, nodes };
  return {
    ...graph,
    nodes,
    subgraphs: mapTable(graph.subgraphs, (each) => withGraphNames(each, outer)),
  };
}

export function withGraphNamed(
  nodes: Table<GraphNode>,
  names: ReadonlyMap<string, string>,
): Table<GraphNode> {
  return mapTable(nodes, (node) => {
    const next = node.graph === undefined ? undefined : names.get(node.graph);
    return next === undefined || next === node.graph ? node : { ...node, graph: graphName(next) };
  });
}

/** The graph with further subgraphs. */
export function withSubgraphs(graph: Graph, added: Graphs): Graph {
  const entries = entriesOf(added);
  if (entries.length === 0) return graph;
  const subgraphs = entries.reduce(
    (table, [name, each]) => put(table, name, each),
    graph.subgraphs ?? {},
  );
  return { ...graph, subgraphs };
}

/** The workflow without one of its subgraphs; a graph without any has no table of them. */
export function withoutSubgraph(graph: Graph, name: string): Graph {
  if (at(graph.subgraphs, name) === undefined) return graph;
  const rest = entriesOf(graph.subgraphs).filter(([each]) => each !== name);
  if (rest.length > 0) return { ...graph, subgraphs: tableOf(rest) };
  const { inputs, outputs, nodes } = graph;
  return { ...drop(graph, "subgraphs"), inputs, outputs, nodes };
}
