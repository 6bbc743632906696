/**
 * A mask as bytes, one for each pixel: 255 is to be repainted, 0 is kept. Every operation changes
 * the mask in place and gives the box of what it touched.
 */

export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** From (left, top) up to, but without, (right, bottom). */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Brush {
  /** In pixels of the mask. */
  readonly radius: number;
  /** The part of the radius that is painted in full; beyond, it fades out. */
  readonly hardness: number;
  /** Between 0 and 1. */
  readonly strength: number;
  readonly isEraser: boolean;
}

export const NOWHERE: Box = { left: 0, top: 0, right: 0, bottom: 0 };

export function emptyMask(width: number, height: number): Mask {
  return { width, height, data: new Uint8Array(width * height) };
}

export const isEmptyBox = (box: Box): boolean => box.right <= box.left || box.bottom <= box.top;

export function joined(a: Box, b: Box): Box {
  if (isEmptyBox(a)) return b;
  if (isEmptyBox(b)) return a;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** The part of a box that lies on the mask, in whole pixels. */
export function clipped({ width, height }: Mask, box: Box): Box {
  const left = Math.max(0, Math.floor(box.left));
  const top = Math.max(0, Math.floor(box.top));
  const right = Math.min(width, Math.ceil(box.right));
  const bottom = Math.min(height, Math.ceil(box.bottom));
  return right <= left || bottom <= top ? NOWHERE : { left, top, right, bottom };
}

export const wholeOf = ({ width, height }: Mask): Box => ({
  left: 0,
  top: 0,
  right: width,
  bottom: height,
});

/** Paint along a line. Going over a place again does not make its soft edge harder. */
export function stroke(mask: Mask, from: Point, to: Point, brush: Brush): Box {
  const { radius } = brush;
  const box = clipped(mask, {
    left: Math.min(from.x, to.x) - radius,
    top: Math.min(from.y, to.y) - radius,
    right: Math.max(from.x, to.x) + radius,
    bottom: Math.max(from.y, to.y) + radius,
  });
  for (let y = box.top; y < box.bottom; y += 1) {
    for (let x = box.left; x < box.right; x += 1) {
      const distance = distanceTo(x + 0.5, y + 0.5, from, to);
      const value = Math.round(255 * coverage(distance, brush));
      if (value > 0) put(mask, y * mask.width + x, value, brush.isEraser);
    }
  }
  return box;
}

/** How much of a pixel at a distance from the middle of the stroke is painted. */
export function coverage(distance: number, { radius, hardness, strength }: Brush): number {
  const inner = radius * Math.min(1, Math.max(0, hardness));
  // A hard edge too is smooth over one pixel.
  const fade = Math.max(1, radius - inner);
  const start = Math.min(inner, radius - 0.5);
  return strength * Math.min(1, Math.max(0, 1 - (distance - start) / fade));
}

function distanceTo(x: number, y: number, from: Point, to: Point): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = dx * dx + dy * dy;
  const at = length === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length;
  const along = Math.min(1, Math.max(0, at));
  return Math.hypot(x - from.x - along * dx, y - from.y - along * dy);
}

function put({ data }: Mask, index: number, value: number, isEraser: boolean): void {
  const old = data[index] ?? 0;
  data[index] = isEraser ? Math.min(old, 255 - value) : Math.max(old, value);
}

/** Fill what is enclosed: all that is reached from a point without crossing an edge of the mask. */
export function fill(mask: Mask, from: Point, isEraser: boolean): Box {
  const { width, height, data } = mask;
  const x0 = Math.floor(from.x);
  const y0 = Math.floor(from.y);
  if (x0 < 0 || y0 < 0 || x0 >= width || y0 >= height) return NOWHERE;
  const isOpen = (index: number) => (data[index] ?? 0) >= 128 === isEraser;
  const value = isEraser ? 0 : 255;
  if (!isOpen(y0 * width + x0)) return NOWHERE;
  let box: Box = NOWHERE;
  const rows: [number, number][] = [[x0, y0]];
  for (let next = rows.pop(); next !== undefined; next = rows.pop()) {
    const [x, y] = next;
    const row = y * width;
    if (!isOpen(row + x)) continue;
    let left = x;
    let right = x + 1;
    while (left > 0 && isOpen(row + left - 1)) left -= 1;
    while (right < width && isOpen(row + right)) right += 1;
    data.fill(value, row + left, row + right);
    box = joined(box, { left, top: y, right, bottom: y + 1 });
    for (const other of [y - 1, y + 1]) {
      if (other < 0 || other >= height) continue;
      for (let at = left; at < right; at += 1) {
        const isStart = at === left || !isOpen(other * width + at - 1);
        if (isStart && isOpen(other * width + at)) rows.push([at, other]);
      }
    }
  }
  return box;
}

/** Fill what a line drawn by hand encloses; what it goes around twice in turn is left out. */
export function lasso(mask: Mask, points: readonly Point[], isEraser: boolean): Box {
  if (points.length < 3) return NOWHERE;
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const box = clipped(mask, {
    left: Math.min(...xs),
    top: Math.min(...ys),
    right: Math.max(...xs),
    bottom: Math.max(...ys),
  });
  for (let y = box.top; y < box.bottom; y += 1) {
    const crossings = crossingsAt(points, y + 0.5);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      // A pixel is in if its middle is.
      const left = Math.max(box.left, Math.ceil((crossings[pair] ?? 0) - 0.5));
      const right = Math.min(box.right, Math.ceil((crossings[pair + 1] ?? 0) - 0.5));
      if (right > left)
        mask.data.fill(isEraser ? 0 : 255, y * mask.width + left, y * mask.width + right);
    }
  }
  return box;
}

function crossingsAt(points: readonly Point[], y: number): number[] {
  const found: number[] = [];
  let before = points.at(-1);
  for (const point of points) {
    if (before !== undefined && before.y > y !== point.y > y) {
      found.push(before.x + ((y - before.y) / (point.y - before.y)) * (point.x - before.x));
    }
    before = point;
  }
  return found.sort((a, b) => a - b);
}

/** Turn kept into repainted, and back. */
export function invert(mask: Mask): Box {
  const { data } = mask;
  for (let index = 0; index < data.length; index += 1) data[index] = 255 - (data[index] ?? 0);
  return wholeOf(mask);
}

export function clear(mask: Mask): Box {
  mask.data.fill(0);
  return wholeOf(mask);
}

/**
 * Soften all edges: three box blurs, which is a Gaussian of deviation `radius / 2` to within 3 %.
 * What lies beyond the border counts as what is at it.
 */
export function feather(mask: Mask, radius: number): Box {
  if (radius <= 0) return NOWHERE;
  const { width, height, data } = mask;
  let values: Float32Array = Float32Array.from(data);
  for (const size of boxSizes(radius / 2)) {
    values = blurred(values, width, height, size, 1, width);
    values = blurred(values, height, width, size, width, 1);
  }
  for (let index = 0; index < data.length; index += 1) data[index] = Math.round(values[index] ?? 0);
  return wholeOf(mask);
}

/** The radii of three boxes that together have this standard deviation. */
function boxSizes(deviation: number): readonly number[] {
  const ideal = Math.sqrt(4 * deviation * deviation + 1);
  const small = Math.max(1, 2 * Math.floor((ideal - 1) / 2) + 1);
  const wanted = 12 * deviation * deviation;
  const smalls = Math.round((wanted - 3 * small * small - 12 * small - 9) / (-4 * small - 4));
  return [0, 1, 2].map((index) => ((index < smalls ? small : small + 2) - 1) / 2);
}

/** Every line averaged over `size` neighbours to each side; `step` along a line, `next` to the next. */
function blurred(
  values: Float32Array,
  length: number,
  lines: number,
  size: number,
  step: number,
  next: number,
): Float32Array {
  const result = new Float32Array(values.length);
  const share = 1 / (2 * size + 1);
  for (let line = 0; line < lines; line += 1) {
    const start = line * next;
    const at = (index: number) =>
      values[start + Math.min(length - 1, Math.max(0, index)) * step] ?? 0;
    let sum = 0;
    for (let index = -size; index <= size; index += 1) sum += at(index);
    for (let index = 0; index < length; index += 1) {
      result[start + index * step] = sum * share;
      sum += at(index + size + 1) - at(index - size);
    }
  }
  return result;
}
