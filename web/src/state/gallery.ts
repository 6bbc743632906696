/** The pictures that were made, and which of them is looked at. */

import type { Job, OutputFile } from "../api/shapes";
import type { EditorState, Slice } from "./store";

/** A picture of a job. */
export interface Picture {
  readonly job: Job;
  readonly file: OutputFile;
  /** The workflow's output that it is. */
  readonly output: string;
  /** Its place in a sweep; null outside. */
  readonly labels: unknown;
}

/** What is looked at in the centre, in place of the graph. */
export type Stage =
  | { readonly kind: "picture"; readonly url: string }
  | { readonly kind: "compare"; readonly left: string; readonly right: string }
  | { readonly kind: "sweep"; readonly job: string }
  | { readonly kind: "paint"; readonly node: string; readonly input: string };

export interface GallerySlice {
  readonly stage: Stage | null;
  readonly show: (stage: Stage | null) => void;
}

export const gallerySlice: Slice<GallerySlice> = (set) => ({
  stage: null,
  show: (stage) => set({ stage }),
});

/** The pictures that a job delivered, in the order of its outputs and cells. */
export function picturesOf(job: Job): readonly Picture[] {
  return Object.entries(job.outputs)
    .flatMap(([output, given]) => [
      ...(given.files ?? []).map((file) => ({ job, file, output, labels: null })),
      ...(given.cells ?? []).flatMap((cell) =>
        (cell.files ?? []).map((file) => ({ job, file, output, labels: cell.labels })),
      ),
    ])
    .filter(({ file }) => file.media_type.startsWith("image/"));
}

/** All pictures that are known, the newest first. */
export const pictures = (state: Pick<EditorState, "jobs">): readonly Picture[] =>
  Object.values(state.jobs)
    .toSorted((a, b) => b.number - a.number)
    .flatMap((job) => picturesOf(job).toReversed());
