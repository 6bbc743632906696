/** A mask while it is painted: the tool in the hand, the stroke under way, and the steps so far. */

import { Steps } from "./layers";
import {
  clear,
  feather,
  fill,
  invert,
  joined,
  lasso,
  NOWHERE,
  stroke,
  wholeOf,
  type Box,
  type Mask,
  type Point,
} from "./raster";

export type Tool = "brush" | "eraser" | "fill" | "lasso";

export interface Settings {
  readonly tool: Tool;
  /** The brush's diameter, in pixels of the picture. */
  readonly size: number;
  readonly hardness: number;
  readonly feather: number;
}

export interface Shown {
  /** Draw what changed. */
  readonly draw: (box: Box) => void;
  /** Draw the line of a lasso that is not closed yet. */
  readonly outline: (points: readonly Point[]) => void;
  /** A step was made, undone or redone. */
  readonly stepped: () => void;
}

const nothing = (): void => undefined;

export class Easel {
  settings: Settings = { tool: "brush", size: 40, hardness: 0.8, feather: 8 };
  readonly steps: Steps;
  private last: Point | null = null;
  private line: Point[] = [];
  private touched: Box = NOWHERE;
  /** Takes away where it would give: the other mouse button, or the eraser of a pen. */
  private isErasing = false;

  private shown: Shown = { draw: nothing, outline: nothing, stepped: nothing };

  constructor(readonly mask: Mask) {
    this.steps = new Steps(mask);
  }

  /** Show from now on what is painted. */
  attach(shown: Shown): void {
    this.shown = shown;
    this.redraw();
  }

  choose(part: Partial<Settings>): Settings {
    this.settings = { ...this.settings, ...part };
    return this.settings;
  }

  begin(at: Point, pressure = 1, isErasing = false): void {
    this.isErasing = isErasing || this.settings.tool === "eraser";
    this.last = at;
    if (this.settings.tool === "fill") this.touch(fill(this.mask, at, this.isErasing));
    else if (this.settings.tool === "lasso") this.line = [at];
    else this.paint(at, at, pressure);
  }

  move(to: Point, pressure = 1): void {
    if (this.last === null) return;
    if (this.settings.tool === "lasso") {
      this.line.push(to);
      this.shown.outline(this.line);
    } else if (this.settings.tool !== "fill") this.paint(this.last, to, pressure);
    this.last = to;
  }

  end(): void {
    if (this.last === null) return;
    if (this.settings.tool === "lasso") {
      this.touch(lasso(this.mask, this.line, this.isErasing));
      this.line = [];
      this.shown.outline(this.line);
    }
    this.last = null;
    this.step();
  }

  /** Give the stroke up that is under way: a second finger came down. */
  giveUp(): void {
    if (this.last === null) return;
    this.last = null;
    this.line = [];
    this.shown.outline(this.line);
    if (this.step()) this.undo();
  }

  undo(): void {
    this.moved(this.steps.undo());
  }

  redo(): void {
    this.moved(this.steps.redo());
  }

  change(how: "feather" | "invert" | "clear"): void {
    const changes = {
      feather: () => feather(this.mask, this.settings.feather),
      invert: () => invert(this.mask),
      clear: () => clear(this.mask),
    };
    this.touch(changes[how]());
    this.step();
  }

  redraw(): void {
    this.shown.draw(wholeOf(this.mask));
  }

  private paint(from: Point, to: Point, pressure: number): void {
    const { size, hardness } = this.settings;
    const radius = Math.max(0.5, (size / 2) * pressure);
    const brush = { radius, hardness, strength: 1, isEraser: this.isErasing };
    this.touch(stroke(this.mask, from, to, brush));
  }

  private touch(box: Box): void {
    this.touched = joined(this.touched, box);
    this.shown.draw(box);
  }

  private step(): boolean {
    const isStep = this.steps.record(this.touched);
    this.touched = NOWHERE;
    if (isStep) this.shown.stepped();
    return isStep;
  }

  private moved(box: Box | null): void {
    if (box === null) return;
    this.shown.draw(box);
    this.shown.stepped();
  }
}
