/** What a run has other than the one before, as a caption. */

import type { Job } from "../api/shapes";
import { changes, shortly, wordChanges, type Change } from "../state/changes";
import type { EditorState } from "../state/store";
import { say } from "../words";

/** The caption of a job; empty while one of the two documents is not known. */
export function differenceOf(state: Pick<EditorState, "jobs" | "documents">, id: string): string {
  const after = state.documents[id];
  const job = state.jobs[id];
  if (after === undefined || job === undefined) return "";
  const before = Object.values(state.jobs)
    .filter((other) => other.number < job.number && other.name === job.name)
    .reduce<Job | undefined>(
      (last, other) => (other.number > (last?.number ?? 0) ? other : last),
      undefined,
    );
  if (before === undefined) return say("film.first");
  const document = state.documents[before.id];
  return document === undefined ? "" : caption(changes(document, after));
}

/** Changes in few words: the first of them, and how many more there are. */
export function caption(found: readonly Change[]): string {
  const [first, ...rest] = found;
  if (first === undefined) return say("film.same");
  const more = rest.length > 0 ? ` ${say("film.more", { count: rest.length })}` : "";
  return worded(first) + more;
}

function worded({ kind, title, input, before, after }: Change): string {
  if (kind === "added") return say("film.added", { node: title });
  if (kind === "removed") return say("film.removed", { node: title });
  if (
    typeof before === "string" &&
    typeof after === "string" &&
    before.length + after.length > 30
  ) {
    const { gone, come } = wordChanges(before, after);
    return say("film.changed", { input, before: shortly(gone, 16), after: shortly(come, 16) });
  }
  return say("film.changed", { input, before: shortly(before, 14), after: shortly(after, 14) });
}
