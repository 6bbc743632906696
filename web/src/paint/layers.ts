/** Undo and redo of a mask: of each step only the box that it changed is kept. */

import { clipped, isEmptyBox, type Box, type Mask } from "./raster";

interface Step {
  readonly box: Box;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

const MOST_BYTES = 64_000_000;

/** The steps of one mask. */
export class Steps {
  private done: Step[] = [];
  private undone: Step[] = [];
  private base: Uint8Array;

  constructor(private readonly mask: Mask) {
    this.base = mask.data.slice();
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  /** Note what was changed since the last step, within a box; whether that was anything. */
  record(touched: Box): boolean {
    const box = clipped(this.mask, touched);
    if (isEmptyBox(box)) return false;
    const before = cut(this.base, this.mask.width, box);
    const after = cut(this.mask.data, this.mask.width, box);
    if (before.every((value, index) => value === after[index])) return false;
    paste(this.base, this.mask.width, box, after);
    this.done.push({ box, before, after });
    this.undone = [];
    this.shorten();
    return true;
  }

  /** Take the last step back; the box that changed, or null if there is none. */
  undo(): Box | null {
    return this.move(this.done, this.undone, "before");
  }

  redo(): Box | null {
    return this.move(this.undone, this.done, "after");
  }

  private move(from: Step[], to: Step[], side: "before" | "after"): Box | null {
    const step = from.pop();
    if (step === undefined) return null;
    to.push(step);
    paste(this.base, this.mask.width, step.box, step[side]);
    paste(this.mask.data, this.mask.width, step.box, step[side]);
    return step.box;
  }

  private shorten(): void {
    let size = this.done.reduce((sum, step) => sum + 2 * step.before.length, 0);
    while (size > MOST_BYTES && this.done.length > 1) {
      size -= 2 * (this.done.shift()?.before.length ?? 0);
    }
  }
}

function cut(data: Uint8Array, width: number, box: Box): Uint8Array {
  const across = box.right - box.left;
  const part = new Uint8Array(across * (box.bottom - box.top));
  for (let y = box.top; y < box.bottom; y += 1) {
    const row = y * width;
    part.set(data.subarray(row + box.left, row + box.right), (y - box.top) * across);
  }
  return part;
}

function paste(data: Uint8Array, width: number, box: Box, part: Uint8Array): void {
  const across = box.right - box.left;
  for (let y = box.top; y < box.bottom; y += 1) {
    const from = (y - box.top) * across;
    data.set(part.subarray(from, from + across), y * width + box.left);
  }
}
