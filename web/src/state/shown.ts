/** Which job the active tab is about, and how the graph and the run bar show it. */

import type { Job } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { drawn, fractionOf } from "./drawn";
import { FINAL } from "./hearing";
import type { Previews } from "./previews";
import { EMPTY } from "./run";
import type { EditorState } from "./store";
import { activeTab } from "./tabs";

/** How far the run is that the run bar shows. */
export interface Progress {
  readonly job: string;
  readonly name: string;
  /** Between 0 and 1, by the seconds that the plan knew. */
  readonly fraction: number;
  /** The address of the node that is at work. */
  readonly node: string | null;
}

/** The job that Stop would stop: that of the active tab, or else any. */
export function runningJob(state: EditorState): Job | null {
  const running = Object.values(state.jobs).filter((job) => job.state === "running");
  const own = state.tabJobs[activeTab(state).id] ?? [];
  return running.find((job) => own.includes(job.id)) ?? running[0] ?? null;
}

/** The job that the nodes of the active tab tell about: what runs, else what ended last. */
export function shownJob(state: EditorState): Job | null {
  const jobs = (state.tabJobs[activeTab(state).id] ?? []).flatMap((id) => state.jobs[id] ?? []);
  return (
    jobs.find((job) => job.state === "running") ??
    jobs.findLast((job) => FINAL.has(job.state)) ??
    jobs.at(-1) ??
    null
  );
}

/** The document of that job, if it is known here. */
export function shownDocument(state: EditorState): Workflow | undefined {
  const job = shownJob(state);
  return job === null ? undefined : state.documents[job.id];
}

/** Whether something changed that `redrawn` reads. */
export function shownChanged(now: EditorState, before: EditorState): boolean {
  return (
    now.runs !== before.runs ||
    now.jobs !== before.jobs ||
    now.documents !== before.documents ||
    now.plan !== before.plan ||
    now.tabJobs !== before.tabJobs ||
    now.activeTab !== before.activeTab
  );
}

/** What the graph and the run bar show, from all that is known. */
export function redrawn(
  state: EditorState,
  previews: Previews,
): Pick<EditorState, "nodeRuns" | "progress" | "livePicture"> {
  const job = shownJob(state);
  const { workflow } = activeTab(state);
  const document = (job && state.documents[job.id]) ?? workflow;
  const { plan } = state;
  const run = (job && state.runs[job.id]) ?? null;
  const pictures = previews.of(job?.id ?? "");
  const past = (state.tabJobs[activeTab(state).id] ?? []).toReversed().flatMap((id) => {
    const [each, ran] = [state.jobs[id], state.documents[id]];
    return each === undefined || ran === undefined ? [] : [{ job: each, document: ran }];
  });
  const nodeRuns = drawn({ run, job, document, plan, pictures, past }, state.nodeRuns);
  const progress = progressOf(state);
  const live = [...previews.of(progress?.job ?? "").values()].at(-1) ?? null;
  return { nodeRuns, progress, livePicture: live };
}

function progressOf(state: EditorState): Progress | null {
  const job = runningJob(state);
  if (job === null) return null;
  const run = state.runs[job.id];
  const document = state.documents[job.id] ?? EMPTY;
  const fraction = run === undefined ? 0 : fractionOf(run, state.plans[job.id] ?? null, document);
  return { job: job.id, name: job.name, fraction, node: run?.at ?? null };
}
