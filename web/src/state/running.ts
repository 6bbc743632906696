/** What runs: submissions, what each node does, progress and previews. */

import type { Job } from "../api/shapes";
import type { Connection } from "../api/socket";
import type { NodeRuns } from "./drawn";
import { following } from "./following";
import { previewsKept, type Previews } from "./previews";
import type { Run } from "./run";
import { pageServer, type Server } from "./server";
import { redrawn, runningJob, shownChanged, type Progress } from "./shown";
import type { Slice } from "./store";
import { submitting, type Waiting } from "./submitting";
import { say } from "../words";

export type { NodeRun } from "./drawn";
export type { RunState } from "./run";
export type { Progress } from "./shown";
export type { Waiting } from "./submitting";

export interface RunningSlice {
  /** By the id of the node, with those of the nodes around it: `outer/inner`. */
  readonly nodeRuns: NodeRuns;
  readonly runs: Readonly<Record<string, Run>>;
  /** The jobs that were started from each tab, the newest last. */
  readonly tabJobs: Readonly<Record<string, readonly string[]>>;
  readonly waiting: readonly Waiting[];
  readonly progress: Progress | null;
  /** What the run is making just now; null between pictures. */
  readonly livePicture: string | null;
  readonly connection: Connection;
  /** Whether the server was away and is back, which the page says once. */
  readonly isBack: boolean;
  /** Queue the document of the active tab as it is, unsaved edits included. */
  readonly generate: (options?: { readonly front?: boolean }) => Promise<void>;
  /** Take back the runs that the server has not confirmed. */
  readonly withdraw: () => void;
  /** Stop the run of the active tab, or else whichever runs. */
  readonly stop: () => Promise<void>;
  /** Follow the server from now on; the answer ends that. */
  readonly connect: () => () => void;
  /** It was seen that the server is back. */
  readonly settle: () => void;
  readonly jobStarted: (job: Job) => void;
  /** Everything that a job's end means for the page. */
  readonly jobEnded: (job: Job) => void;
  /** Read what the run of the active tab did, if this page did not see it. */
  readonly recallRun: () => Promise<void>;
  /** Look at once whether the server is back. */
  readonly hasten: () => void;
}

export interface Surroundings {
  readonly server: Server;
  /** Keeps texts over a reload; null where the browser forbids that. */
  readonly memory: Pick<Storage, "getItem" | "setItem"> | null;
  /** Does something a little later, so that many events are drawn at once. */
  readonly later: (action: () => void) => void;
  readonly previews: Previews;
}

export const runningSlice: Slice<RunningSlice> = (...store) =>
  runningSliceIn({
    server: pageServer(),
    memory: storage(),
    later: (action) => setTimeout(action, 33),
    previews: previewsKept(),
  })(...store);

function storage(): Storage | null {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

/** The slice with a server and a browser of one's own: for tests. */
export const runningSliceIn =
  (around: Surroundings): Slice<RunningSlice> =>
  (set, get, store) => {
    const submissions = submitting(around, set, get);
    const follower = following(around, set, get, submissions.flush);
    return {
      nodeRuns: {},
      runs: {},
      ...submissions.remembered,
      progress: null,
      livePicture: null,
      connection: "connecting",
      isBack: false,
      generate: submissions.generate,
      withdraw: submissions.withdraw,
      stop: async () => {
        const job = runningJob(get());
        if (job !== null) await around.server.cancelJob(job.id).catch(get().report);
      },
      connect: () => {
        const stop = follower.start();
        const unsubscribe = store.subscribe((now, before) => {
          if (shownChanged(now, before)) set(redrawn(now, around.previews));
          if (now.activeTab !== before.activeTab) void follower.rebuild().catch(get().report);
        });
        return () => {
          unsubscribe();
          stop();
        };
      },
      settle: () => set({ isBack: false }),
      jobStarted: (job) => get().announce(say("run.said.started", { name: job.name })),
      jobEnded: (job) => {
        get().announce(
          say(`run.said.${endOf(job)}`, { name: job.name, seconds: job.seconds ?? 0 }),
        );
        get().tellFailure(job);
        // What was to be done is done: until the next plan is there, nodes show how they ended.
        set({ plan: null });
        void get().makePlan();
      },
      recallRun: async () => {
        submissions.remember();
        await follower.rebuild();
      },
      hasten: follower.hasten,
    };
  };

const endOf = ({ state }: Job): "failed" | "cancelled" | "succeeded" =>
  state === "failed" || state === "cancelled" ? state : "succeeded";
