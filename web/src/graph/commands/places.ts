/** Where nodes stand and how they look: moves, sizes, titles, collapse and pins. */

import type { Graph, NodePlace, View } from "../document";
import type { GraphPath, NodeId } from "../ids";
import { at, drop, has, put, putAll } from "../tables";
import { changeGraph, withView } from "./change";
import type { Command } from "./command";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What of a place is changed; undefined takes a property away. */
export type PlaceChange = { readonly [Key in keyof NodePlace]?: NodePlace[Key] | undefined };

/** The view with a node's place changed. */
export function placed(view: View, id: string, change: PlaceChange): View {
  return allPlaced(view, [[id, change]]);
}

function allPlaced(view: View, changes: readonly (readonly [string, PlaceChange])[]): View {
  const nodes = view.nodes ?? {};
  const moved = changes.flatMap(([id, change]): [string, NodePlace][] => {
    const before: NodePlace = at(nodes, id) ?? {};
    const after = changed(before, change);
    return after === before ? [] : [[id, after]];
  });
  return moved.length === 0 ? view : { ...view, nodes: putAll(nodes, moved) };
}

function changed(place: NodePlace, change: PlaceChange): NodePlace {
  let after = place;
  for (const [key, value] of Object.entries(change)) {
    after = value === undefined ? drop(after, key) : put(after, key, value);
  }
  return after;
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
        placeAll(
          graph,
          [...places].map(([id, { x, y }]) => [id, { x, y }]),
        ),
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

/** Draw the wires of nodes only while these are selected, or always. */
export function hideWires(path: GraphPath, ids: readonly NodeId[], hidden: boolean): Command {
  return flag(hidden ? "hide_wires" : "show_wires", path, ids, {
    wiresHidden: hidden ? true : undefined,
  });
}

function flag(
  name: string,
  path: GraphPath,
  ids: readonly NodeId[],
  change: Pick<PlaceChange, "collapsed" | "pinned" | "wiresHidden">,
): Command {
  return {
    name,
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        placeAll(
          graph,
          ids.map((id) => [id, change]),
        ),
      ),
  };
}

function place(graph: Graph, id: NodeId, change: PlaceChange): Graph {
  return placeAll(graph, [[id, change]]);
}

function placeAll(graph: Graph, changes: readonly (readonly [NodeId, PlaceChange])[]): Graph {
  const known = changes.filter(([id]) => has(graph.nodes, id));
  return known.length === 0 ? graph : withView(graph, (view) => allPlaced(view, known));
}
