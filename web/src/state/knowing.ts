/** What the page knows of the server's jobs, and what it does once one of them moves on. */

import type { Job } from "../api/shapes";
import type { ServerEvent } from "../api/socket";
import { FINAL, learn, type Known } from "./hearing";
import type { Surroundings } from "./running";
import type { EditorState, SetState } from "./store";

const LONGEST_QUEUE = 500;

export type Knowledge = ReturnType<typeof knowing>;

export function knowing({ server }: Surroundings, set: SetState, get: () => EditorState) {
  /** The jobs that are followed from their beginning, and how to stop that. */
  const follows = new Map<string, () => void>();

  const know = (change: (known: Known) => Known) =>
    set((state) => {
      const { jobs, runs, queue, documents } = change(state);
      return { jobs, runs, queue, documents };
    });

  const unfollow = (job: string) => {
    follows.get(job)?.();
    follows.delete(job);
  };

  return {
    know,
    /** Do what is to be done where a job has begun or ended, whoever said so. */
    tell: (job: Job, before: Job | undefined) => {
      void get().readDocument(job.id).catch(get().report);
      if (job.state === "running" && before?.state !== "running") get().jobStarted(job);
      if (!FINAL.has(job.state) || (before !== undefined && FINAL.has(before.state))) return;
      unfollow(job.id);
      get().jobEnded(job);
    },
    readQueue: async () => {
      const page = await server.listJobs({ queue: true, state: ["queued"], limit: LONGEST_QUEUE });
      know((known) => ({
        ...page.jobs.reduce((sofar, job) => learn(sofar, job), known),
        queue: page.jobs.map((job) => job.id),
      }));
    },
    isFollowed: (job: string) => follows.has(job),
    /** Hear all events of a job, those before now too. */
    follow: (job: string, take: (event: ServerEvent) => void) => {
      follows.set(job, server.followJob(job, take));
    },
    unfollowAll: () => {
      for (const job of follows.keys()) unfollow(job);
    },
  };
}
