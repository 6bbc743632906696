/** From a job to its pictures in the centre. */

import type { Job } from "../api/shapes";
import { picturesOf } from "../state/gallery";
import { useEditor } from "../state/store";
import { isSweep } from "./grid";

/** Show what a job made: its picture, or its sweep as a grid; of one that failed, where it failed. */
export function lookAt(job: Job): void {
  const state = useEditor.getState();
  const last = picturesOf(job).at(-1);
  if (last === undefined) {
    if (job.error !== null) void lookAtFailure(job);
    return;
  }
  state.show(
    isSweep(job) ? { kind: "sweep", job: job.id } : { kind: "picture", url: last.file.url },
  );
}

/** Go to the tab of a job, or open its graph, and mark where it failed. */
async function lookAtFailure(job: Job): Promise<void> {
  const { tabs, tabJobs, activeTab, activate, openJob } = useEditor.getState();
  const own = tabs.filter(({ id }) => tabJobs[id]?.includes(job.id) === true);
  const tab = own.find(({ id }) => id === activeTab) ?? own[0];
  if (tab === undefined) await openJob(job.id);
  else activate(tab.id);
  useEditor.getState().tellFailure(job);
}

/** Compare a job's picture with that of the one before. */
export function compareWithBefore(job: Job): void {
  const state = useEditor.getState();
  const right = picturesOf(job).at(-1);
  const left = Object.values(state.jobs)
    .filter((other) => other.number < job.number)
    .toSorted((a, b) => b.number - a.number)
    .flatMap((other) => picturesOf(other).slice(-1))[0];
  if (left === undefined || right === undefined) return;
  state.show({ kind: "compare", left: left.file.url, right: right.file.url });
}
