/** Numbers in fields: their bounds and steps, and how they are written. */

import type { Bounds } from "../graph/schema";

export interface Scale {
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly whole: boolean;
  /** The values are multiples of this. */
  readonly multiple: number | undefined;
}

export function scaleOf(bounds: Bounds, whole: boolean): Scale {
  const step = bounds.step ?? bounds.multipleOf ?? (whole ? 1 : standardStep(bounds));
  const end = bounds.exclusiveMaximum;
  return {
    least: bounds.minimum ?? justAbove(bounds.exclusiveMinimum, whole),
    most: bounds.maximum ?? (end === undefined ? Infinity : Number(end) - (whole ? 1 : 0)),
    step,
    whole,
    multiple: bounds.multipleOf,
  };
}

function justAbove(bound: number | undefined, whole: boolean): number {
  if (bound === undefined) return -Infinity;
  return bound + (whole ? 1 : 1e-6);
}

function standardStep({ minimum, maximum }: Bounds): number {
  if (minimum === undefined || maximum === undefined) return 0.1;
  return 10 ** Math.floor(Math.log10((maximum - minimum) / 20));
}

/** The nearest value that the field takes. */
export function fitted(value: number, { least, most, whole, multiple }: Scale): number {
  let near = whole ? Math.round(value) : value;
  if (multiple !== undefined) near = Math.round(near / multiple) * multiple;
  near = Math.min(most, Math.max(least, near));
  return tidy(near);
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
export function tidy(value: number): number {
  return Number.parseFloat(value.toPrecision(12));
}

/** The value some steps further, on the grid of steps where it was on it. */
export function stepped(value: number, steps: number, scale: Scale): number {
  return fitted(value + steps * scale.step, scale);
}

/** Whether the range is small enough for a bar that shows where the value is in it. */
export function hasBar({ least, most, step }: Scale): boolean {
  return Number.isFinite(least) && Number.isFinite(most) && (most - least) / step <= 250;
}

/** The value as text, with as many decimals as its steps have. */
export function written(value: number, { step, whole }: Scale): string {
  if (whole) return String(value);
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const short = value.toFixed(decimals);
  return Number(short) === tidy(value) ? short : String(tidy(value));
}
