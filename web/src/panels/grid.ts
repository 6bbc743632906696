/** The pictures of a sweep, laid out by two of its axes. */

import type { Job } from "../api/shapes";
import { picturesOf, type Picture } from "../state/gallery";

export interface SweepAxis {
  readonly name: string;
  /** Its labels in the order in which they come. */
  readonly labels: readonly string[];
}

export interface Cell {
  readonly picture: Picture;
  readonly at: Readonly<Record<string, string>>;
}

export interface Sweep {
  readonly axes: readonly SweepAxis[];
  readonly cells: readonly Cell[];
}

/** Whether a job made pictures that belong together in a grid. */
export function isSweep(job: Job): boolean {
  const pictures = picturesOf(job);
  return pictures.length > 1 && pictures.some(({ labels }) => labels !== null);
}

/** What a sweep gave so far. */
export function sweepOf(job: Job): Sweep {
  const cells = picturesOf(job).flatMap((picture) => {
    const at = labelsOf(picture.labels);
    return at === null ? [] : [{ picture, at }];
  });
  const names = [...new Set(cells.flatMap(({ at }) => Object.keys(at)))];
  const axes = names.map((name) => ({
    name,
    labels: [...new Set(cells.flatMap(({ at }) => at[name] ?? []))],
  }));
  return { axes, cells };
}

function labelsOf(labels: unknown): Record<string, string> | null {
  if (typeof labels !== "object" || labels === null) return null;
  return Object.fromEntries(
    Object.entries(labels).map(([name, label]: [string, unknown]) => [
      name,
      typeof label === "string" ? label : JSON.stringify(label),
    ]),
  );
}

/** The cell at these labels; of a sweep over more axes that at which the others are `held`. */
export const cellAt = (sweep: Sweep, labels: Readonly<Record<string, string>>): Cell | undefined =>
  sweep.cells.find(({ at }) => Object.entries(labels).every(([name, label]) => at[name] === label));
