/** Moving the view to a thing, if it has to be. */

import type { ReactFlowInstance } from "@xyflow/react";

import type { Item } from "./flow";
import { boxOf } from "./places";

type Viewer = Pick<ReactFlowInstance<Item>, "flowToScreenPosition" | "getZoom" | "setCenter">;

/** Move the view only if the thing is not in it already. */
export function bringIntoSight(root: HTMLElement | null, react: Viewer, item: Item): void {
  const box = root?.getBoundingClientRect();
  if (box === undefined) return;
  const { x, y, width, height } = boxOf(item);
  const a = react.flowToScreenPosition({ x, y });
  const b = react.flowToScreenPosition({ x: x + width, y: y + Math.min(height, 200) });
  const isInSight = a.x > box.left && a.y > box.top && b.x < box.right && b.y < box.bottom;
  const zoom = Math.max(react.getZoom(), 0.6);
  if (isInSight && zoom === react.getZoom()) return;
  void react.setCenter(x + width / 2, y + height / 2, { zoom });
}

/** Move the view, at its zoom, only if the head of the thing is out of sight. */
export function panToHead(root: HTMLElement | null, react: Viewer, item: Item): void {
  const box = root?.getBoundingClientRect();
  if (box === undefined) return;
  const { x, y, width, height } = boxOf(item);
  const head = react.flowToScreenPosition({ x: x + width / 2, y: y + 14 });
  const isSeen = head.x > box.left && head.x < box.right && head.y > box.top && head.y < box.bottom;
  if (!isSeen) void react.setCenter(x + width / 2, y + height / 2, { zoom: react.getZoom() });
}
