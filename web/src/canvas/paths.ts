/** Wires as lines to draw on a sheet, those of one colour together. */

import { typeLook } from "../look/types";
import type { Box, Point } from "../state/canvas";
import type { Item, WireItem } from "./flow";
import { byId, pointsOf } from "./places";

export interface Paths {
  readonly byHue: ReadonlyMap<string, readonly (readonly Point[])[]>;
  /** What they lie in; null if there are none. */
  readonly bounds: Box | null;
}

export const NO_PATHS: Paths = { byHue: new Map(), bounds: null };

/** How far a curve may go beyond its ends. */
const BULGE = 160;

export function pathsOf(items: readonly Item[], wires: readonly WireItem[]): Paths {
  if (wires.length === 0) return NO_PATHS;
  const known = byId(items);
  const byHue = new Map<string, (readonly Point[])[]>();
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const wire of wires) {
    if (wire.data === undefined) continue;
    const { hue } = typeLook(wire.data.type);
    const points = pointsOf(known, wire);
    for (const { x, y } of points) {
      left = Math.min(left, x - BULGE);
      top = Math.min(top, y);
      right = Math.max(right, x + BULGE);
      bottom = Math.max(bottom, y);
    }
    const paths = byHue.get(hue) ?? [];
    paths.push(points);
    byHue.set(hue, paths);
  }
  const isEmpty = left === Infinity;
  const bounds = isEmpty ? null : { x: left, y: top, width: right - left, height: bottom - top };
  return { byHue, bounds };
}

/** Whether one end or a bend of a wire is among these things. */
export const touches = (wire: WireItem, moved: ReadonlySet<string>): boolean =>
  moved.has(wire.source) ||
  moved.has(wire.target) ||
  (wire.data?.reroutes.some((id) => moved.has(id)) ?? false);
