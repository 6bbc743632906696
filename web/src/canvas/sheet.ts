/** A sheet with wires over the view and some way around it: moved along with the view, drawn anew seldom. */

import type { Point } from "../state/canvas";
import { controls } from "./curves";
import type { Paths } from "./paths";

export interface View {
  readonly transform: readonly [number, number, number];
  readonly width: number;
  readonly height: number;
}

/** How far around the view is drawn too, in views. */
const AROUND = 0.5;
/** How much larger or smaller than drawn the sheet is shown. */
const LARGEST = 2.5;
const SMALLEST = 0.4;

export class WireSheet {
  private drawn: { readonly view: View; readonly across: number; readonly down: number } | null =
    null;
  private isWhole = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly colours: Colours,
    private readonly around = AROUND,
  ) {}

  /** Show it where the view is now; false if it has to be drawn anew for that. */
  follow({ transform: [x, y, zoom], width, height }: View): boolean {
    if (this.drawn === null) return false;
    const { view, across, down } = this.drawn;
    const [x0, y0, zoom0] = view.transform;
    const by = zoom / zoom0;
    const [left, top] = [x - (x0 + across) * by, y - (y0 + down) * by];
    const right = left + (view.width + 2 * across) * by;
    const bottom = top + (view.height + 2 * down) * by;
    const covers = left <= 0 && top <= 0 && right >= width && bottom >= height;
    if (by < SMALLEST || by > LARGEST || (!covers && !this.isWhole)) return false;
    this.canvas.style.transform = `translate(${left}px, ${top}px) scale(${by})`;
    return true;
  }

  /** Whether it is as sharp as it can be. */
  isSharp({ transform }: View): boolean {
    return this.drawn !== null && this.drawn.view.transform[2] === transform[2];
  }

  draw(paths: Paths, view: View): void {
    const { transform, width, height } = view;
    const [x, y, zoom] = transform;
    const [across, down] = [Math.round(width * this.around), Math.round(height * this.around)];
    const dense = Math.min(window.devicePixelRatio, 2);
    const [wide, high] = [width + 2 * across, height + 2 * down];
    // An empty sheet would still cost a layer as large as the view.
    this.canvas.hidden = paths.byHue.size === 0;
    const pen = this.canvas.getContext("2d");
    if (pen === null || width === 0 || height === 0) return;
    fit(this.canvas, wide, high, dense);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.setTransform(zoom * dense, 0, 0, zoom * dense, (x + across) * dense, (y + down) * dense);
    pen.lineWidth = Math.max(2, 1 / zoom);
    pen.globalAlpha = 0.6;
    for (const [hue, lines] of paths.byHue) {
      pen.strokeStyle = this.colours.of(hue, this.canvas);
      pen.beginPath();
      for (const line of lines) trace(pen, line);
      pen.stroke();
    }
    this.drawn = { view, across, down };
    const { bounds } = paths;
    this.isWhole =
      bounds === null ||
      (bounds.x * zoom + x >= -across &&
        bounds.y * zoom + y >= -down &&
        (bounds.x + bounds.width) * zoom + x <= width + across &&
        (bounds.y + bounds.height) * zoom + y <= height + down);
    this.follow(view);
  }
}

function fit(canvas: HTMLCanvasElement, wide: number, high: number, dense: number): void {
  const [across, down] = [Math.round(wide * dense), Math.round(high * dense)];
  if (canvas.width === across && canvas.height === down) return;
  canvas.width = across;
  canvas.height = down;
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
}

/** Hues as a canvas takes them. Asking the page is slow, so that is done once for each look. */
export class Colours {
  private readonly known = new Map<string, string>();
  private ofText = "";

  of(hue: string, probe: HTMLElement): string {
    const text = getComputedStyle(document.documentElement).color;
    if (text !== this.ofText) this.known.clear();
    this.ofText = text;
    const known = this.known.get(hue);
    if (known !== undefined) return known;
    probe.style.color = hue;
    const found = getComputedStyle(probe).color;
    this.known.set(hue, found);
    return found;
  }
}

function trace(pen: CanvasRenderingContext2D, points: readonly Point[]): void {
  let from = points[0];
  if (from === undefined) return;
  pen.moveTo(from.x, from.y);
  for (const to of points.slice(1)) {
    const [a, b] = controls(from, to);
    pen.bezierCurveTo(a.x, a.y, b.x, b.y, to.x, to.y);
    from = to;
  }
}
