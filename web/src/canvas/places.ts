/** What is where on the canvas, in the measure of React Flow: found without asking the page. */

import { nodeId } from "../graph/ids";
import type { Wire } from "../graph/wiring";
import type { Box, Point, PortRef } from "../state/canvas";
import { flattened, holds, meetsBox, type Course } from "./curves";
import type { Item, NodeItem, WireItem } from "./flow";
import { portsIn } from "./shape";

export const boxOf = (item: Item): Box => ({
  x: item.position.x,
  y: item.position.y,
  width: item.width ?? 0,
  height: item.height ?? 0,
});

/** What all of them lie in. */
export function boundsOf(items: readonly Item[]): Box {
  const boxes = items.map(boxOf);
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

/** Where a port is; null if its node is not there. */
export function portPlace(items: readonly Item[], port: PortRef): Point | null {
  const item = items.find((each) => each.id === port.node);
  if (item?.type !== "node") return null;
  const spot = portsIn(item.data.shape).find(
    (each) => each.side === port.side && each.name === port.name,
  );
  if (spot === undefined) return null;
  const x = item.position.x + (port.side === "in" ? 0 : (item.width ?? 0));
  return { x, y: item.position.y + spot.y };
}

/** The port nearest to a place, no further than `reach`, of those that are wanted. */
export function nearestPort(
  items: readonly Item[],
  at: Point,
  reach: number,
  isWanted: (port: PortRef) => boolean,
): PortRef | null {
  let best: PortRef | null = null;
  let least = reach;
  for (const item of items) {
    if (item.type !== "node" || !isNear(item, at, reach)) continue;
    for (const { side, name, y } of portsIn(item.data.shape)) {
      const x = item.position.x + (side === "in" ? 0 : (item.width ?? 0));
      const distance = Math.hypot(x - at.x, item.position.y + y - at.y);
      const port: PortRef = { node: nodeId(item.id), side, name };
      if (distance <= least && isWanted(port)) {
        least = distance;
        best = port;
      }
    }
  }
  return best;
}

function isNear(item: NodeItem, at: Point, reach: number): boolean {
  const { x, y, width, height } = boxOf(item);
  const wide = { x: x - reach, y: y - reach, width: width + 2 * reach, height: height + 2 * reach };
  return holds(wide, at);
}

/** The node at a place; of several the one drawn last. */
export function nodeAt(items: readonly Item[], at: Point): NodeItem | null {
  const found = items.findLast((item) => item.type === "node" && holds(boxOf(item), at));
  return found?.type === "node" ? found : null;
}

/** The course of a wire as short straight pieces. */
export function lineOf(
  items: ReadonlyMap<string, Item>,
  wire: WireItem,
  course: Course,
): readonly Point[] {
  const points = pointsOf(items, wire);
  return flattened(points, course);
}

/** The ends of a wire and its bends between them. */
export function pointsOf(items: ReadonlyMap<string, Item>, wire: WireItem): readonly Point[] {
  if (wire.data === undefined) return [];
  const { from, to } = wire.data.wire;
  const [source, target] = [items.get(from.node), items.get(to.node)];
  if (source === undefined || target === undefined) return [];
  const start = portPlace([source], { node: from.node, side: "out", name: from.output });
  const end = portPlace([target], { node: to.node, side: "in", name: to.input });
  if (start === null || end === null) return [];
  const bends = wire.data.reroutes.flatMap((id) => {
    const item = items.get(id);
    if (item === undefined) return [];
    const { x, y, width, height } = boxOf(item);
    return [{ x: x + width / 2, y: y + height / 2 }];
  });
  return [start, ...bends, end];
}

export const byId = (items: readonly Item[]): ReadonlyMap<string, Item> =>
  new Map(items.map((item) => [item.id, item]));

/** The wire that goes through a box, such as the head of a node that is dropped on it. */
export function wireThrough(
  items: readonly Item[],
  wires: readonly WireItem[],
  box: Box,
  course: Course,
  isWanted: (wire: Wire) => boolean,
): WireItem | null {
  const known = byId(items);
  return (
    wires.find(
      (wire) =>
        wire.data !== undefined &&
        isWanted(wire.data.wire) &&
        meetsBox(lineOf(known, wire, course), box),
    ) ?? null
  );
}
