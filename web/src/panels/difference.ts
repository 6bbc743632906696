/** What a run has other than the one before, as a caption. */

import type { Workflow } from "../graph/document";
import { changes, shortly, wordChanges, type Change } from "../state/changes";
import type { EditorState } from "../state/store";
import { say } from "../words";

/** For each job the one before it of the same name: its id, by the job's own. */
export function befores(jobs: EditorState["jobs"]): ReadonlyMap<string, string> {
  const last = new Map<string, string>();
  const found = new Map<string, string>();
  for (const job of Object.values(jobs).toSorted((a, b) => a.number - b.number)) {
    const before = last.get(job.name);
    if (before !== undefined) found.set(job.id, before);
    last.set(job.name, job.id);
  }
  return found;
}

/** The caption of a job; empty while one of the two documents is not known. */
export function differenceOf(
  before: Workflow | undefined,
  after: Workflow | undefined,
  isFirst: boolean,
): string {
  if (after === undefined) return "";
  if (isFirst) return say("film.first");
  return before === undefined ? "" : caption(changes(before, after));
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

/** What one side of a comparison has that the other has not: the first two things, and how many more. */
export function ownOf(found: readonly Change[], side: "left" | "right"): readonly string[] {
  const own = found.flatMap(({ kind, title, input, before, after }): readonly string[] => {
    if (kind === "added") return side === "right" ? [say("film.added", { node: title })] : [];
    if (kind === "removed") return side === "right" ? [say("film.removed", { node: title })] : [];
    return [`${input} ${shortly(side === "left" ? before : after, 28)}`.trim()];
  });
  const more = own.length - SHOWN;
  return [...own.slice(0, SHOWN), ...(more > 0 ? [say("film.more", { count: more })] : [])];
}

const SHOWN = 2;
