/** Nodes as text: readable JSON that goes through the system's clipboard, a chat or an editor. */

import type { Frame, Graph, GraphNode, NodePlace, Note, Reroute, Workflow } from "./document";
import { graphAt, nodesOf } from "./graphs";
import { type GraphPath, type NodeId } from "./ids";
import { isObject, type Json, printDocument, readJson } from "./json";
import { workflowFrom } from "./read";
import { graphsNeeded } from "./scopes";
import { at, has, type Table, tableOf } from "./tables";

/** Copied parts of a graph. Links to nodes that were not copied are kept: paste may follow them. */
export interface Clip {
  readonly nodes: Table<GraphNode>;
  readonly places: Table<NodePlace>;
  readonly groups: readonly Frame[];
  readonly notes: readonly Note[];
  readonly reroutes: readonly Reroute[];
  /** The graphs that the nodes stand for. */
  readonly subgraphs: Table<Graph>;
}

export interface Chosen {
  readonly nodes: readonly NodeId[];
  readonly groups?: readonly string[];
  readonly notes?: readonly string[];
}

export function copied(workflow: Workflow, path: GraphPath, chosen: Chosen): Clip {
  const graph = graphAt(workflow, path);
  const ids = new Set(chosen.nodes);
  const nodes = tableOf(nodesOf(graph).filter(([id]) => ids.has(id)));
  const view = graph?.view;
  const places = chosen.nodes.flatMap((id): [string, NodePlace][] => {
    const place = at(view?.nodes, id);
    return place === undefined ? [] : [[id, place]];
  });
  return {
    nodes,
    places: tableOf(places),
    groups: (view?.groups ?? []).filter(({ id }) => chosen.groups?.includes(id)),
    notes: (view?.notes ?? []).filter(({ id }) => chosen.notes?.includes(id)),
    reroutes: (view?.reroutes ?? []).filter(({ node }) => ids.has(node)),
    subgraphs: graphsNeeded(workflow, path, nodes),
  };
}

/** The text for the clipboard: a document of its own, so that any reader of workflows takes it. */
export function clipText(clip: Clip): string {
  const { nodes, places, groups, notes, reroutes, subgraphs } = clip;
  return printDocument({
    darkroom: 1,
    name: "",
    clip: true,
    nodes,
    subgraphs,
    view: { nodes: places, groups, notes, reroutes },
  });
}

/** The clip in a text; null if it is none. A whole workflow is a clip of all its nodes. */
export function clipFrom(text: string): Clip | null {
  let whole: Json;
  try {
    whole = readJson(text);
  } catch {
    return null;
  }
  if (!isObject(whole) || !has(whole, "darkroom") || !has(whole, "nodes")) return null;
  try {
    const workflow = workflowFrom(whole);
    const { nodes, view, subgraphs = {} } = workflow;
    return {
      nodes,
      places: view?.nodes ?? {},
      groups: view?.groups ?? [],
      notes: view?.notes ?? [],
      reroutes: view?.reroutes ?? [],
      subgraphs,
    };
  } catch {
    return null;
  }
}
