/** Where nodes stand and how they look: moves, sizes, titles, collapse and pins. */

import type { Graph, NodePlace, View } from "../document";
import type { GraphPath, NodeId } from "../ids";
import { at, drop, has, put } from "../tables";
import { changeGraph, withView } from "./change";
import type { Command } from "./command";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The view with a node's place changed; undefined takes a property away. */
export function placed(
  view: View,
  id: string,
  change: { readonly [Key in keyof NodePlace]?: NodePlace[Key] | undefined },
): View {
  const nodes = view.nodes ?? {};
  const before: NodePlace = at(nodes, id) ?? {};
  let after: NodePlace = before;
  for (const [key, value] of Object.entries(change)) {
    after = value === undefined ? drop(after, key) : put(after, key, value);
  }
  return after === before ? view : { ...view, nodes: put(nodes, id, after) };
}

/** Place nodes. One drag has one `drag` key and is one step. */
export function moveNodes(
  path: GraphPath,
  places: ReadonlyMap<NodeId, Point>,
  drag?: string,
): Command {
  return {
    name: "move_nodes",
    ...(drag === undefined ? {} : { merge: `move ${drag}` }),
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        [...places].reduce((changed, [id, { x, y }]) => place(changed, id, { x, y }), graph),
      ),
  };
}

/** Size a node; without a size it takes what it needs. */
export function resizeNode(
  path: GraphPath,
  id: NodeId,
  size: { readonly width: number; readonly height?: number } | undefined,
  drag?: string,
): Command {
  return {
    name: "resize_node",
    ...(drag === undefined ? {} : { merge: `resize ${drag}` }),
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        place(graph, id, { width: size?.width, height: size?.height }),
      ),
  };
}

/** Title a node; an empty title gives it its type's again. */
export function setTitle(path: GraphPath, id: NodeId, title: string): Command {
  return {
    name: "set_title",
    merge: `title ${JSON.stringify([path, id])}`,
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        place(graph, id, { title: title === "" ? undefined : title }),
      ),
  };
}

export function collapse(path: GraphPath, ids: readonly NodeId[], collapsed: boolean): Command {
  return flag(collapsed ? "collapse" : "expand", path, ids, {
    collapsed: collapsed ? true : undefined,
  });
}

/** Pinned nodes are not moved by dragging and arranging. */
export function pin(path: GraphPath, ids: readonly NodeId[], pinned: boolean): Command {
  return flag(pinned ? "pin" : "unpin", path, ids, { pinned: pinned ? true : undefined });
}

function flag(
  name: string,
  path: GraphPath,
  ids: readonly NodeId[],
  change: { readonly collapsed?: true | undefined; readonly pinned?: true | undefined },
): Command {
  return {
    name,
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        ids.reduce((changed, id) => place(changed, id, change), graph),
      ),
  };
}

function place(graph: Graph, id: NodeId, change: Parameters<typeof placed>[2]): Graph {
  return has(graph.nodes, id) ? withView(graph, (view) => placed(view, id, change)) : graph;
}
