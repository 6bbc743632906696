/** What the server tells of jobs, applied to what is known of them. */

import type { Job } from "../api/shapes";
import type { ServerEvent } from "../api/socket";
import type { Workflow } from "../graph/document";
import { EMPTY, ended, happened, newRun, type Run } from "./run";

export interface Known {
  readonly jobs: Readonly<Record<string, Job>>;
  readonly runs: Readonly<Record<string, Run>>;
  /** Ids of queued jobs in the order in which they will run. */
  readonly queue: readonly string[];
  /** What each job runs, as far as it was read. */
  readonly documents: Readonly<Record<string, Workflow>>;
}

export const FINAL: ReadonlySet<Job["state"]> = new Set(["succeeded", "failed", "cancelled"]);

/** What is known after an event. */
export function hear(known: Known, event: ServerEvent): Known {
  if (event.job === null) return known;
  if (event.type === "job.deleted") return forget(known, event.job);
  if ("job" in event.data) return learn(known, event.data.job, event.type === "job.requeued");
  const run = known.runs[event.job] ?? newRun(event.job);
  const document = known.documents[event.job] ?? EMPTY;
  return { ...known, runs: { ...known.runs, [event.job]: happened(run, event, document) } };
}

/** What is known after a job was told: by an event, a list, or the answer to a request. */
export function learn(known: Known, job: Job, again = false): Known {
  const old = known.jobs[job.id];
  if (old !== undefined && isOlder(job, old)) return known;
  const run = known.runs[job.id];
  const runs = { ...known.runs };
  if (again && run !== undefined) runs[job.id] = { ...newRun(job.id), last: run.last };
  if (FINAL.has(job.state) && run !== undefined)
    runs[job.id] = ended(run, job.state === "succeeded");
  return {
    ...known,
    runs,
    jobs: { ...known.jobs, [job.id]: job },
    queue: queued(known.queue, job, again),
  };
}

/** An answer may come after the events that tell what became of the job since. */
function isOlder(job: Job, known: Job): boolean {
  if (FINAL.has(known.state)) return !FINAL.has(job.state);
  return job.attempt < known.attempt;
}

function queued(queue: readonly string[], job: Job, again: boolean): readonly string[] {
  const has = queue.includes(job.id);
  if (job.state !== "queued") return has ? queue.filter((id) => id !== job.id) : queue;
  if (has) return queue;
  return again ? [job.id, ...queue] : [...queue, job.id];
}

/** What is known after a job is gone. */
export function forget(known: Known, id: string): Known {
  const without = <T>(table: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(table).filter(([key]) => key !== id));
  return {
    jobs: without(known.jobs),
    runs: without(known.runs),
    documents: without(known.documents),
    queue: known.queue.filter((other) => other !== id),
  };
}
