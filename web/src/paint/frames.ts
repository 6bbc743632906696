/** Frames on a picture: how much is added around it, or which part of it is meant. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Side = "left" | "top" | "right" | "bottom";

const STEP = 8;
export const onGrid = (value: number): number => Math.round(value / STEP) * STEP;

/** A frame around the picture as a rectangle on it. */
export function rectOfPads(
  pads: Readonly<Record<Side, number>>,
  width: number,
  height: number,
): Rect {
  return {
    x: 0 - pads.left,
    y: 0 - pads.top,
    width: width + pads.left + pads.right,
    height: height + pads.top + pads.bottom,
  };
}

/** The rectangle with one side moved; it keeps at least one step. */
export function sideMoved(rect: Rect, side: Side, by: number): Rect {
  const { x, y, width, height } = rect;
  switch (side) {
    case "left": {
      const real = Math.min(by, width - STEP);
      return { ...rect, x: x + real, width: width - real };
    }
    case "top": {
      const real = Math.min(by, height - STEP);
      return { ...rect, y: y + real, height: height - real };
    }
    case "right":
      return { ...rect, width: Math.max(STEP, width + by) };
    case "bottom":
      return { ...rect, height: Math.max(STEP, height + by) };
  }
}

export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

/** The sides that meet in a corner. */
const meeting: Readonly<Record<Corner, readonly [Side, Side]>> = {
  "top-left": ["top", "left"],
  "top-right": ["top", "right"],
  "bottom-left": ["bottom", "left"],
  "bottom-right": ["bottom", "right"],
};

/** What of a frame is held: a side, a corner, all of it, or the corner of a new one. */
export type Grip = Side | Corner | "whole" | "new";

const isCorner = (grip: Grip): grip is Corner => grip in meeting;

/** The rectangle after a grip was pulled so far. */
export function pulled(rect: Rect, grip: Grip, dx: number, dy: number): Rect {
  if (grip === "whole") return { ...rect, x: rect.x + dx, y: rect.y + dy };
  if (grip === "new") return spanned(rect.x, rect.y, dx, dy);
  const sides: readonly Side[] = isCorner(grip) ? meeting[grip] : [grip];
  return sides.reduce(
    (moved, side) => sideMoved(moved, side, side === "left" || side === "right" ? dx : dy),
    rect,
  );
}

/** What a rectangle adds around a picture; it never cuts from it. */
export function padsOf(rect: Rect, width: number, height: number): Readonly<Record<Side, number>> {
  const pad = (value: number) => Math.max(0, onGrid(value));
  return {
    left: pad(0 - rect.x),
    top: pad(0 - rect.y),
    right: pad(rect.x + rect.width - width),
    bottom: pad(rect.y + rect.height - height),
  };
}

/** A rectangle that lies on the picture. */
export function within(rect: Rect, width: number, height: number): Rect {
  const across = Math.min(width, Math.max(STEP, onGrid(rect.width)));
  const down = Math.min(height, Math.max(STEP, onGrid(rect.height)));
  return {
    x: Math.min(width - across, Math.max(0, onGrid(rect.x))),
    y: Math.min(height - down, Math.max(0, onGrid(rect.y))),
    width: across,
    height: down,
  };
}

/** The rectangle between a corner and the one that is so far from it, in any direction. */
const spanned = (x: number, y: number, dx: number, dy: number): Rect => ({
  x: Math.min(x, x + dx),
  y: Math.min(y, y + dy),
  width: Math.abs(dx),
  height: Math.abs(dy),
});
