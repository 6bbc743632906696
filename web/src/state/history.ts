/** The runs before this one, and what is queued. */

import { ApiError } from "../api/problems";
import type { GalleryFile, GalleryPage, Job, Plan, QueuePlace } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { JsonError } from "../graph/json";
import { DocumentError, readWorkflow } from "../graph/read";
import { say } from "../words";
import { attempting } from "./attempts";
import { picturesOf } from "./gallery";
import { forget, learn, FINAL, type Known } from "./hearing";
import { pageServer, type Server } from "./server";
import type { EditorState, SetState, Slice } from "./store";

export interface HistorySlice extends Omit<Known, "runs"> {
  /** The plan that was known when a job was queued. */
  readonly plans: Readonly<Record<string, Plan>>;
  /** Where the jobs go on that are older than those that are known; null at the end. */
  readonly olderJobs: string | null;
  readonly readDocument: (job: string) => Promise<Workflow | null>;
  readonly readOlderJobs: () => Promise<boolean>;
  readonly moveJob: (job: string, place: QueuePlace) => Promise<boolean>;
  /** Take a queued job out of the queue, stop a running one, forget one that ended. */
  readonly removeJob: (job: string) => Promise<boolean>;
  /** Take all that waits out of the queue. */
  readonly clearQueue: () => Promise<boolean>;
  /** What clearing the results would mean, while somebody is asked whether to do it. */
  readonly clearing: { readonly jobs: number; readonly starred: number } | null;
  readonly askClearing: () => Promise<boolean>;
  readonly keepHistory: () => void;
  /** Forget what has ended and has no star; what was delivered stays in its folder. */
  readonly clearHistory: () => Promise<boolean>;
  readonly retryJob: (job: string) => Promise<boolean>;
  /** Open what a job ran in a new tab, with its results. */
  readonly openJob: (job: string) => Promise<boolean>;
  /** The same of a job that may not be known here, and show its picture. */
  readonly openRun: (job: string) => Promise<boolean>;
}

export const historySlice: Slice<HistorySlice> = (...store) =>
  historySliceIn(pageServer())(...store);

const PAGE = 60;
/** As many as the server forgets by one request. */
const MOST_AT_ONCE = 1000;
const KEPT_DOCUMENTS = 400;

/** The slice with a server of one's own: for tests. */
export const historySliceIn =
  (server: Server): Slice<HistorySlice> =>
  (set, get) => {
    const within: Within = {
      server,
      set,
      get,
      attempt: attempting(get),
      know: (change) =>
        set((state) => {
          const { jobs, runs, queue, documents } = change(state);
          return { jobs, runs, queue, documents };
        }),
    };
    return {
      jobs: {},
      queue: [],
      documents: {},
      plans: {},
      olderJobs: null,
      clearing: null,
      ...reading(within),
      ...queueing(within),
      ...clearing(within),
      ...opening(within),
    };
  };

/** What the parts of the slice work with. */
interface Within {
  readonly server: Server;
  readonly set: SetState;
  readonly get: () => EditorState;
  readonly attempt: (action: () => Promise<void>) => Promise<boolean>;
  readonly know: (change: (known: Known) => Known) => void;
}

function reading({ server, set, get, attempt, know }: Within) {
  const under = new Map<string, Promise<Workflow | null>>();
  const read = async (job: string): Promise<Workflow | null> => {
    try {
      const document = readWorkflow(await server.readJobDocument(job));
      set((state) => ({ documents: kept({ ...state.documents, [job]: document }) }));
      return document;
    } catch (error) {
      // Forgotten, or not in a form that is read here: there is nothing to show.
      if (error instanceof ApiError && error.status === 404) return null;
      if (error instanceof DocumentError || error instanceof JsonError) return null;
      throw error;
    } finally {
      under.delete(job);
    }
  };
  return {
    readDocument: (job: string): Promise<Workflow | null> => {
      const known = get().documents[job];
      if (known !== undefined) return Promise.resolve(known);
      const already = under.get(job) ?? read(job);
      under.set(job, already);
      return already;
    },
    readOlderJobs: () =>
      attempt(async () => {
        const page = await server.listJobs({ limit: PAGE, after: get().olderJobs });
        know((known) => page.jobs.reduce((sofar, job) => learn(sofar, job), known));
        set({ olderJobs: page.next });
      }),
  };
}

function queueing({ server, set, get, attempt, know }: Within) {
  return {
    moveJob: (job: string, place: QueuePlace) =>
      attempt(async () => {
        set(({ queue }) => ({ queue: moved(queue, job, place) }));
        await server.moveJob(job, place);
      }),
    removeJob: (id: string) =>
      attempt(async () => {
        const job = get().jobs[id];
        if (job === undefined || FINAL.has(job.state)) {
          await server.deleteJobs([id]);
          know((known) => forget(known, id));
        } else {
          const now = await server.cancelJob(id);
          know((known) => learn(known, now));
        }
      }),
    clearQueue: () =>
      attempt(async () => {
        // What waits here can be taken back without the server.
        get().withdraw();
        await server.cancelJobs(false);
      }),
  };
}

function clearing({ server, set, get, attempt, know }: Within) {
  /** The jobs that clearing would forget, and how many starred pictures keep theirs. */
  const overAndStarred = async () => {
    const starred: GalleryFile[] = [];
    let after: string | null = null;
    do {
      const page: GalleryPage = await server.listGallery({ starred: true, limit: PAGE, after });
      starred.push(...page.files);
      after = page.next;
    } while (after !== null);
    const kept = new Set(starred.map((file) => file.job));
    const over = Object.values(get().jobs).filter((job) => FINAL.has(job.state));
    const doomed = over.map((job) => job.id).filter((id) => !kept.has(id));
    return { doomed, starred: starred.length };
  };
  return {
    askClearing: () =>
      attempt(async () => {
        const { doomed, starred } = await overAndStarred();
        set({ clearing: { jobs: doomed.length, starred } });
      }),
    keepHistory: () => set({ clearing: null }),
    clearHistory: () =>
      attempt(async () => {
        set({ clearing: null });
        const { doomed } = await overAndStarred();
        for (let at = 0; at < doomed.length; at += MOST_AT_ONCE) {
          const gone = await server.deleteJobs(doomed.slice(at, at + MOST_AT_ONCE));
          know((known) => gone.reduce(forget, known));
        }
      }),
  };
}

function opening({ server, set, get, attempt, know }: Within) {
  return {
    retryJob: (id: string) =>
      attempt(async () => {
        const again = await server.retryJob(id);
        know((known) => learn(known, again));
        set(({ tabJobs }) => ({ tabJobs: besides(tabJobs, id, again.id) }));
      }),
    openJob: (id: string) =>
      attempt(async () => {
        const document = await get().readDocument(id);
        if (document === null) {
          get().notify("warning", say("film.gone"));
          return;
        }
        const tab = get().openWorkflow(document);
        set(({ tabJobs }) => ({ tabJobs: { ...tabJobs, [tab]: [id] } }));
        await get().recallRun();
      }),
    openRun: (id: string) =>
      attempt(async () => {
        const job = await server.readJob(id);
        know((known) => learn(known, job));
        const { tabs, tabJobs, activate } = get();
        const tab = tabs.find((each) => tabJobs[each.id]?.includes(id) === true);
        if (tab === undefined) await get().openJob(id);
        else activate(tab.id);
        const last = picturesOf(job).at(-1);
        if (last !== undefined) get().show({ kind: "picture", url: last.file.url });
      }),
  };
}

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
