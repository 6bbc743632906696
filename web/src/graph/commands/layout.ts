/** Nodes aligned, distributed and arranged. */

import { arranged, type Size } from "../arrange";
import type { Workflow } from "../document";
import { graphAt } from "../graphs";
import type { GraphPath, NodeId } from "../ids";
import { placeOf } from "../view";
import type { Command } from "./command";
import { moveNodes, type Point } from "./places";

export type Edge = "left" | "centre" | "right" | "top" | "middle" | "bottom";
export type SizeOf = (id: NodeId) => Size;

export function align(
  path: GraphPath,
  ids: readonly NodeId[],
  edge: Edge,
  sizeOf: SizeOf,
): Command {
  return moving("align", path, (workflow) => {
    const boxes = boxesOf(workflow, path, ids, sizeOf);
    if (boxes.length < 2) return [];
    const isAcross = edge === "left" || edge === "centre" || edge === "right";
    const share =
      edge === "left" || edge === "top" ? 0 : edge === "right" || edge === "bottom" ? 1 : 0.5;
    const starts = boxes.map((box) => (isAcross ? box.x : box.y));
    const ends = boxes.map((box) => (isAcross ? box.x + box.width : box.y + box.height));
    const [start, end] = [Math.min(...starts), Math.max(...ends)];
    return boxes.map(({ id, x, y, width, height }) => {
      const place = Math.round(start + (end - start - (isAcross ? width : height)) * share);
      return [id, isAcross ? { x: place, y } : { x, y: place }];
    });
  });
}

/** Leave equal gaps between nodes; the two outermost stay. */
export function distribute(
  path: GraphPath,
  ids: readonly NodeId[],
  direction: "across" | "down",
  sizeOf: SizeOf,
): Command {
  return moving("distribute", path, (workflow) => {
    const isAcross = direction === "across";
    const boxes = boxesOf(workflow, path, ids, sizeOf)
      .map((box) => ({
        ...box,
        start: isAcross ? box.x : box.y,
        length: isAcross ? box.width : box.height,
      }))
      .sort((a, b) => a.start - b.start);
    const [first, last] = [boxes[0], boxes.at(-1)];
    if (first === undefined || last === undefined || boxes.length < 3) return [];
    const total = boxes.reduce((sum, { length }) => sum + length, 0);
    const gap = (last.start + last.length - first.start - total) / (boxes.length - 1);
    let next = first.start;
    return boxes.map(({ id, x, y, length }) => {
      const place = Math.round(next);
      next += length + gap;
      return [id, isAcross ? { x: place, y } : { x, y: place }];
    });
  });
}

/** Lay out the chosen nodes, or all that are not pinned. */
export function arrange(path: GraphPath, sizeOf: SizeOf, only?: readonly NodeId[]): Command {
  return moving("arrange", path, (workflow) => {
    const graph = graphAt(workflow, path);
    return graph === undefined ? [] : [...arranged(graph, sizeOf, only)];
  });
}

function moving(
  name: string,
  path: GraphPath,
  places: (workflow: Workflow) => readonly (readonly [NodeId, Point])[],
): Command {
  return {
    name,
    apply: (workflow, catalogue) =>
      moveNodes(path, new Map(places(workflow))).apply(workflow, catalogue),
  };
}

function boxesOf(
  workflow: Workflow,
  path: GraphPath,
  ids: readonly NodeId[],
  sizeOf: SizeOf,
): { id: NodeId; x: number; y: number; width: number; height: number }[] {
  const graph = graphAt(workflow, path);
  return ids.flatMap((id) => {
    const place = placeOf(graph, id);
    return place === undefined || place.pinned
      ? []
      : [{ id, x: place.x, y: place.y, ...sizeOf(id) }];
  });
}
