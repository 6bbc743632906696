/** The order in which pictures are gone through. */

import { picturesOf } from "../state/gallery";
import type { EditorState } from "../state/store";

/** The addresses of all pictures that are known, from the oldest to the newest. */
export function pictureUrls(state: Pick<EditorState, "gallery" | "jobs">): readonly string[] {
  const recent = Object.values(state.jobs)
    .toSorted((a, b) => a.number - b.number)
    .flatMap(picturesOf)
    .map(({ file }) => file.url);
  const listed = state.gallery.map(({ url }) => url).toReversed();
  const known = new Set(recent);
  return [...listed.filter((url) => !known.has(url)), ...recent];
}
