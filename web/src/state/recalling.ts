/** What happened while nobody listened, asked for afterwards. */

import { ApiError } from "../api/problems";
import type { Job } from "../api/shapes";
import type { ServerEvent } from "../api/socket";
import { FINAL, forget, learn } from "./hearing";
import type { Knowledge } from "./knowing";
import { EMPTY, recorded } from "./run";
import type { Surroundings } from "./running";
import { shownJob } from "./shown";
import type { EditorState, SetState } from "./store";

const RECENT = 60;

export function recalling(
  { server }: Surroundings,
  set: SetState,
  get: () => EditorState,
  knowledge: Knowledge,
  take: (event: ServerEvent) => void,
) {
  const { know, tell } = knowledge;

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

  return {
    /** Learn what became of all jobs since. */
    reread: async () => {
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
      await knowledge.readQueue();
    },
    /** What the nodes of the shown job did, if this page did not see it happen. */
    rebuild: async () => {
      const job = shownJob(get());
      if (job === null || get().runs[job.id] !== undefined || knowledge.isFollowed(job.id)) return;
      await get().readDocument(job.id);
      get().recallFailure();
      if (!FINAL.has(job.state)) {
        knowledge.follow(job.id, take);
        return;
      }
      const records = await server.listJobNodes(job.id);
      set(({ runs, documents }) => ({
        runs: { [job.id]: recorded(job, records, documents[job.id] ?? EMPTY), ...runs },
      }));
    },
  };
}
