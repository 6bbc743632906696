import type { Slice } from "./store";

export type RunState = "idle" | "queued" | "running" | "done" | "cached" | "error";

/** What a node does in the run that is shown. */
export interface NodeRun {
  readonly state: RunState;
  /** Between 0 and 1, while it runs. */
  readonly progress?: number;
  /** Address of its last picture or live preview, small enough to be drawn on the node. */
  readonly picture?: string;
}

export interface RunningSlice {
  /** By the id of the node, with those of the nodes around it: `outer/inner`. */
  readonly nodeRuns: Readonly<Record<string, NodeRun>>;
}

export const runningSlice: Slice<RunningSlice> = () => ({ nodeRuns: {} });
