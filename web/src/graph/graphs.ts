/** Graphs within a document: where they stand, and how one of them is changed. */

import type { Graph, GraphNode, Workflow } from "./document";
import { graphName, type GraphName, type GraphPath, type NodeId, nodeId } from "./ids";
import { at, entriesOf, keysOf, put } from "./tables";

/** The graph at a path; undefined if there is none. */
export function graphAt(workflow: Workflow, path: GraphPath): Graph | undefined {
  let graph: Graph | undefined = workflow;
  for (const name of path) graph = at(graph?.subgraphs, name);
  return graph;
}

export function nodeAt(workflow: Workflow, path: GraphPath, id: NodeId): GraphNode | undefined {
  return at(graphAt(workflow, path)?.nodes, id);
}

export function nodeIds(graph: Graph | undefined): NodeId[] {
  return keysOf(graph?.nodes).map(nodeId);
}

export function nodesOf(graph: Graph | undefined): [NodeId, GraphNode][] {
  return entriesOf(graph?.nodes).map(([id, node]) => [nodeId(id), node]);
}

/** The workflow with one of its graphs changed; itself if the graph is not there or stays the same. */
export function withGraph(
  workflow: Workflow,
  path: GraphPath,
  change: (graph: Graph) => Graph,
): Workflow {
  const changed = changedAt(workflow, path, change);
  return changed === workflow
    ? workflow
    : { ...changed, darkroom: workflow.darkroom, name: changed.name ?? workflow.name };
}

function changedAt(graph: Graph, path: GraphPath, change: (graph: Graph) => Graph): Graph {
  const [name, ...rest] = path;
  if (name === undefined) return change(graph);
  const inner = at(graph.subgraphs, name);
  if (inner === undefined || graph.subgraphs === undefined) return graph;
  const changed = changedAt(inner, rest, change);
  return changed === inner ? graph : { ...graph, subgraphs: put(graph.subgraphs, name, changed) };
}

/**
 * Where the graph stands that a node in the graph at `path` names: one of the graph's own
 * subgraphs, or of those around it, from the inside out. None for files and names not there.
 */
export function definitionPath(
  workflow: Workflow,
  path: GraphPath,
  name: GraphName | undefined,
): GraphPath | undefined {
  if (name === undefined) return undefined;
  for (let length = path.length; length >= 0; length -= 1) {
    const around = path.slice(0, length);
    if (at(graphAt(workflow, around)?.subgraphs, name) !== undefined) return [...around, name];
  }
  return undefined;
}

/** The path of every graph in the document, the workflow's own first. */
export function graphPaths(workflow: Workflow): GraphPath[] {
  const paths: GraphPath[] = [];
  const walk = (graph: Graph, path: GraphPath): void => {
    paths.push(path);
    for (const [name, inner] of entriesOf(graph.subgraphs)) walk(inner, [...path, graphName(name)]);
  };
  walk(workflow, []);
  return paths;
}

export function samePath(a: GraphPath, b: GraphPath): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

/** A node that stands for the graph at a path, and where it stands itself. */
export interface Instance {
  readonly path: GraphPath;
  readonly id: NodeId;
  readonly node: GraphNode;
}

/** Every node in the document that stands for the graph at a path. */
export function instancesOf(workflow: Workflow, definition: GraphPath): Instance[] {
  const name = definition.at(-1);
  if (name === undefined) return [];
  return graphPaths(workflow).flatMap((path) =>
    nodesOf(graphAt(workflow, path))
      .filter(([, node]) => node.graph === name)
      .filter(() => samePath(definitionPath(workflow, path, name) ?? [], definition))
      .map(([id, node]) => ({ path, id, node })),
  );
}

/** The nodes to enter one after the other to get to a graph; null if no node stands for it. */
export function trailTo(workflow: Workflow, path: GraphPath): NodeId[] | null {
  const ways: { readonly at: GraphPath; readonly trail: NodeId[] }[] = [{ at: [], trail: [] }];
  const seen = new Set<string>();
  for (const { at: here, trail } of ways) {
    if (samePath(here, path)) return trail;
    const key = here.join("\n");
    if (seen.has(key)) continue;
    seen.add(key);
    for (const [id, node] of nodesOf(graphAt(workflow, here))) {
      const inner = definitionPath(workflow, here, node.graph);
      if (inner !== undefined) ways.push({ at: inner, trail: [...trail, id] });
    }
  }
  return null;
}
