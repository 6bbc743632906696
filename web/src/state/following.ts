/** The server's events, followed over lost connections and reloads of the page. */

import { ApiError } from "../api/problems";
import type { Job } from "../api/shapes";
import type { Connection, Preview, ServerEvent } from "../api/socket";
import { FINAL, forget, hear, learn, type Known } from "./hearing";
import { addressOf, EMPTY, recorded } from "./run";
import type { Surroundings } from "./running";
import type { Following } from "./server";
import { redrawn, shownJob } from "./shown";
import type { EditorState, SetState } from "./store";

const RECENT = 60;
const LONGEST_QUEUE = 500;

export function following(
  around: Surroundings,
  set: SetState,
  get: () => EditorState,
  flush: () => Promise<void>,
) {
  const { server, previews, later } = around;
  /** The jobs that are followed from their beginning, and how to stop that. */
  const follows = new Map<string, () => void>();
  let heard: ServerEvent[] = [];
  let socket: Following | null = null;

  const know = (change: (known: Known) => Known) =>
    set((state) => {
      const { jobs, runs, queue, documents } = change(state);
      return { jobs, runs, queue, documents };
    });

  const apply = () => {
    const events = heard;
    heard = [];
    const before = get();
    know((known) => events.reduce(hear, known));
    for (const event of events) {
      if (event.type === "catalogue.changed") void get().loadCatalogue();
      // Only where pictures were looked at: else they are read once they are.
      if (event.type === "outputs.changed" && get().galleryNext !== undefined)
        void get().readGallery();
      if (event.job !== null && event.type === "job.deleted") unfollow(event.job);
      // What is deleted is told once more, and has no document any more.
      if (event.job === null || event.type === "job.deleted" || !("job" in event.data)) continue;
      tell(event.data.job, before.jobs[event.job]);
      if (event.type === "job.moved" || event.type === "job.queued")
        void readQueue().catch(get().report);
    }
  };

  const tell = (job: Job, before: Job | undefined) => {
    void get().readDocument(job.id).catch(get().report);
    if (job.state === "running" && before?.state !== "running") get().jobStarted(job);
    if (!FINAL.has(job.state) || (before !== undefined && FINAL.has(before.state))) return;
    unfollow(job.id);
    get().jobEnded(job);
  };

  const take = (event: ServerEvent) => {
    heard.push(event);
    if (heard.length === 1) later(apply);
  };

  const look = ({ event, picture }: Preview) => {
    if (event.job === null || !("node" in event.data) || event.data.node === null) return;
    const { tabJobs, documents } = get();
    const shown = new Set(Object.values(tabJobs).flatMap((jobs) => jobs.slice(-4)));
    if (!shown.has(event.job)) return;
    previews.keep(shown);
    previews.put(event.job, addressOf(event.data.node, documents[event.job] ?? EMPTY), picture);
    set((state) => redrawn(state, previews));
  };

  const readQueue = async () => {
    const page = await server.listJobs({ queue: true, state: ["queued"], limit: LONGEST_QUEUE });
    know((known) => ({
      ...page.jobs.reduce((sofar, job) => learn(sofar, job), known),
      queue: page.jobs.map((job) => job.id),
    }));
  };

  const unfollow = (job: string) => {
    follows.get(job)?.();
    follows.delete(job);
  };

  /** Catch up with all that happened while nobody listened. */
  const catchUp = async () => {
    const active = Object.values(get().jobs).filter((job) => !FINAL.has(job.state));
    const page = await server.listJobs({ limit: RECENT });
    const before = get().jobs;
    const last = page.jobs.at(-1);
    // What lies behind a page that meets nothing known was never read.
    if (last !== undefined && before[last.id] === undefined) set({ olderJobs: page.next });
    const listed = new Set(page.jobs.map((job) => job.id));
    know((known) => page.jobs.reduceRight((sofar, job) => learn(sofar, job), known));
    for (const job of page.jobs) if (before[job.id] !== undefined) tell(job, before[job.id]);
    for (const job of active) if (!listed.has(job.id)) await reread(job);
    await readQueue();
    await rebuild();
    get().signedIn();
    await flush();
  };

  /** A socket does not say why it was refused; a request does. */
  const probe = () => server.listJobs({ limit: 1 }).then(get().signedIn, get().report);

  const reread = async (job: Job) => {
    try {
      const now = await server.readJob(job.id);
      know((known) => learn(known, now));
      tell(now, job);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      know((known) => forget(known, job.id));
    }
  };

  /** What the nodes of the shown job did, if this page did not see it happen. */
  const rebuild = async () => {
    const job = shownJob(get());
    if (job === null || get().runs[job.id] !== undefined || follows.has(job.id)) return;
    await get().readDocument(job.id);
    get().recallFailure();
    if (!FINAL.has(job.state)) {
      follows.set(job.id, server.followJob(job.id, take));
      return;
    }
    const records = await server.listJobNodes(job.id);
    set(({ runs, documents }) => ({
      runs: { [job.id]: recorded(job, records, documents[job.id] ?? EMPTY), ...runs },
    }));
  };

  const connect = (connection: Connection) => {
    const wasLost = get().connection === "lost";
    set((state) => ({
      connection,
      isBack: connection === "open" ? wasLost || state.isBack : false,
    }));
    if (connection === "lost") void probe();
    if (connection !== "open") return;
    // It may be another server now, with other nodes.
    if (wasLost || get().catalogueState === "failed") void get().loadCatalogue();
    void catchUp().catch(get().report);
  };

  return {
    start: () => {
      socket = server.follow({ onEvent: take, onPreview: look, onConnection: connect });
      return () => {
        for (const job of follows.keys()) unfollow(job);
        socket?.stop();
        socket = null;
      };
    },
    hasten: () => {
      socket?.hasten();
      if (get().isSignedOut) void catchUp().catch(get().report);
    },
    /** To be asked when another tab is shown: its run may not be known yet. */
    rebuild,
  };
}
