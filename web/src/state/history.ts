/** The runs before this one, and what is queued. */

import { ApiError } from "../api/problems";
import type { Job, Plan, QueuePlace } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { forget, learn, FINAL, type Known } from "./hearing";
import { pageServer, type Server } from "./server";
import type { EditorState, Slice } from "./store";

export interface HistorySlice extends Omit<Known, "runs"> {
  /** The plan that was known when a job was queued. */
  readonly plans: Readonly<Record<string, Plan>>;
  /** Where the jobs go on that are older than those that are known; null at the end. */
  readonly olderJobs: string | null;
  readonly readDocument: (job: string) => Promise<Workflow | null>;
  readonly readOlderJobs: () => Promise<void>;
  readonly moveJob: (job: string, place: QueuePlace) => Promise<void>;
  /** Take a queued job out of the queue, stop a running one, forget one that ended. */
  readonly removeJob: (job: string) => Promise<void>;
  /** Take all that waits out of the queue. */
  readonly clearQueue: () => Promise<void>;
  /** Forget all that has ended; what was delivered stays. */
  readonly clearHistory: () => Promise<void>;
  readonly retryJob: (job: string) => Promise<void>;
  /** Open what a job ran in a new tab. */
  readonly openJob: (job: string) => Promise<void>;
}

export const historySlice: Slice<HistorySlice> = (...store) =>
  historySliceIn(pageServer())(...store);

const PAGE = 60;
const KEPT_DOCUMENTS = 400;

/** The slice with a server of one's own: for tests. */
export const historySliceIn =
  (server: Server): Slice<HistorySlice> =>
  (set, get) => {
    const reading = new Map<string, Promise<Workflow | null>>();

    const know = (change: (known: Known) => Known) =>
      set((state) => {
        const { jobs, runs, queue, documents } = change(state);
        return { jobs, runs, queue, documents };
      });

    const read = async (job: string): Promise<Workflow | null> => {
      try {
        const document = await server.readJobDocument(job);
        if (!isWorkflow(document)) return null;
        set((state) => ({ documents: kept({ ...state.documents, [job]: document }) }));
        return document;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      } finally {
        reading.delete(job);
      }
    };

    /** Do something and say what went wrong, if it did. */
    const attempt = async (action: () => Promise<void>): Promise<void> => {
      try {
        await action();
      } catch (error) {
        get().report(error);
      }
    };

    const cancel = async (job: string) => {
      const now = await server.cancelJob(job);
      know((known) => learn(known, now));
    };

    return {
      jobs: {},
      queue: [],
      documents: {},
      plans: {},
      olderJobs: null,
      readDocument: (job) => {
        const known = get().documents[job];
        if (known !== undefined) return Promise.resolve(known);
        const already = reading.get(job) ?? read(job);
        reading.set(job, already);
        return already;
      },
      readOlderJobs: () =>
        attempt(async () => {
          const page = await server.listJobs({ limit: PAGE, after: get().olderJobs });
          know((known) => page.jobs.reduce((sofar, job) => learn(sofar, job), known));
          set({ olderJobs: page.next });
        }),
      moveJob: (job, place) =>
        attempt(async () => {
          set(({ queue }) => ({ queue: moved(queue, job, place) }));
          await server.moveJob(job, place);
        }),
      removeJob: (id) =>
        attempt(async () => {
          const job = get().jobs[id];
          if (job !== undefined && !FINAL.has(job.state)) return cancel(id);
          await server.deleteJobs([id]);
          know((known) => forget(known, id));
        }),
      clearQueue: () =>
        attempt(async () => {
          await server.cancelJobs(false);
          set({ waiting: [] });
        }),
      clearHistory: () =>
        attempt(async () => {
          const over = Object.values(get().jobs).filter((job) => FINAL.has(job.state));
          const gone = await server.deleteJobs(over.map((job) => job.id));
          know((known) => gone.reduce(forget, known));
        }),
      retryJob: (id) =>
        attempt(async () => {
          const again = await server.retryJob(id);
          know((known) => learn(known, again));
          set(({ tabJobs }) => ({ tabJobs: besides(tabJobs, id, again.id) }));
        }),
      openJob: (id) =>
        attempt(async () => {
          const document = await get().readDocument(id);
          if (document !== null) get().openWorkflow(document);
        }),
    };
  };

/** A job that is tried again belongs to the tab of the first. */
function besides(
  tabJobs: EditorState["tabJobs"],
  first: string,
  again: string,
): EditorState["tabJobs"] {
  return Object.fromEntries(
    Object.entries(tabJobs).map(([tab, jobs]) => [
      tab,
      jobs.includes(first) ? [...jobs, again] : jobs,
    ]),
  );
}

/** The queue as it will be, until the server tells it. */
export function moved(queue: readonly string[], job: string, place: QueuePlace): readonly string[] {
  const rest = queue.filter((id) => id !== job);
  if (place.to === "front") return [job, ...rest];
  const at = place.before == null ? -1 : rest.indexOf(place.before);
  return at < 0 ? [...rest, job] : rest.toSpliced(at, 0, job);
}

/** The documents that were read last; older ones can be read again. */
function kept(documents: Readonly<Record<string, Workflow>>): Readonly<Record<string, Workflow>> {
  return Object.fromEntries(Object.entries(documents).slice(-KEPT_DOCUMENTS));
}

function isWorkflow(document: object): document is Workflow {
  return (["nodes", "inputs", "outputs"] as const).every(
    (part) => typeof Reflect.get(document, part) === "object",
  );
}

/** All jobs as the film strip shows them: what ended, what runs, and what will, in that order. */
export function film(state: Pick<EditorState, "jobs" | "queue">): readonly Job[] {
  const jobs = Object.values(state.jobs);
  const over = jobs.filter((job) => FINAL.has(job.state)).toSorted(byEnd);
  const running = jobs.filter((job) => job.state === "running").toSorted(byNumber);
  return [...over, ...running, ...state.queue.flatMap((id) => state.jobs[id] ?? [])];
}

const byNumber = (a: Job, b: Job): number => a.number - b.number;
const byEnd = (a: Job, b: Job): number =>
  (a.finished ?? "").localeCompare(b.finished ?? "") || byNumber(a, b);
