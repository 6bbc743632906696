/** The course of a wire, as a path to draw and as a line of points to meet. */

import type { Box, Point } from "../state/canvas";

export type Course = "curved" | "stepped" | "straight";

/** The SVG path through points: from an output, past the bends, to an input. */
export function pathThrough(points: readonly Point[], course: Course): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let from = first;
  let path = `M${numbers(from)}`;
  for (const to of rest) {
    if (course === "straight") path += `L${numbers(to)}`;
    else if (course === "stepped")
      path += `H${round((from.x + to.x) / 2)}V${round(to.y)}H${round(to.x)}`;
    else {
      const [a, b] = controls(from, to);
      path += `C${numbers(a)} ${numbers(b)} ${numbers(to)}`;
    }
    from = to;
  }
  return path;
}

/** How a curve leaves and arrives: to the right, however the ends lie. */
export function controls(from: Point, to: Point): readonly [Point, Point] {
  const across = to.x - from.x;
  const reach = across >= 0 ? across / 2 : Math.min(160, 24 + Math.sqrt(-across) * 6);
  const bend = Math.max(reach, Math.min(40, Math.abs(to.y - from.y) / 2));
  return [
    { x: from.x + bend, y: from.y },
    { x: to.x - bend, y: to.y },
  ];
}

/** The course as short straight pieces. */
export function flattened(points: readonly Point[], course: Course, pieces = 16): readonly Point[] {
  const [first, ...rest] = points;
  if (first === undefined) return [];
  const line: Point[] = [first];
  let from = first;
  for (const to of rest) {
    if (course === "straight") line.push(to);
    else if (course === "stepped") {
      const middle = (from.x + to.x) / 2;
      line.push({ x: middle, y: from.y }, { x: middle, y: to.y }, to);
    } else {
      const [a, b] = controls(from, to);
      for (let piece = 1; piece <= pieces; piece += 1)
        line.push(cubic(from, a, b, to, piece / pieces));
    }
    from = to;
  }
  return line;
}

function cubic(p: Point, a: Point, b: Point, q: Point, t: number): Point {
  const s = 1 - t;
  const [w0, w1, w2, w3] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
  return {
    x: w0 * p.x + w1 * a.x + w2 * b.x + w3 * q.x,
    y: w0 * p.y + w1 * a.y + w2 * b.y + w3 * q.y,
  };
}

export const boxBetween = (a: Point, b: Point): Box => ({
  x: Math.min(a.x, b.x),
  y: Math.min(a.y, b.y),
  width: Math.abs(a.x - b.x),
  height: Math.abs(a.y - b.y),
});

export const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

export const holds = (box: Box, { x, y }: Point): boolean =>
  x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;

/** Whether a line of points goes through a box. */
export function meetsBox(line: readonly Point[], box: Box): boolean {
  const corners: readonly [Point, Point, Point, Point] = [
    { x: box.x, y: box.y },
    { x: box.x + box.width, y: box.y },
    { x: box.x + box.width, y: box.y + box.height },
    { x: box.x, y: box.y + box.height },
  ];
  return line.some((point) => holds(box, point)) || crosses(line, [...corners, corners[0]]);
}

/** Whether two lines of points cross. */
export function crosses(one: readonly Point[], other: readonly Point[]): boolean {
  return one.some((p, i) => {
    const q = one[i + 1];
    if (q === undefined) return false;
    return other.some((r, j) => {
      const s = other[j + 1];
      return s !== undefined && side(p, q, r) !== side(p, q, s) && side(r, s, p) !== side(r, s, q);
    });
  });
}

const side = (a: Point, b: Point, c: Point): boolean =>
  (c.y - a.y) * (b.x - a.x) > (b.y - a.y) * (c.x - a.x);

const round = (value: number): number => Math.round(value * 10) / 10;
const numbers = ({ x, y }: Point): string => `${round(x)},${round(y)}`;
