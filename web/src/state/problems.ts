import type { Slice } from "./store";

/** What is wrong, where, and what to do about it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The node's id, with those of the nodes around it: `outer/inner`. */
  readonly node?: string;
  readonly input?: string;
}

export interface ProblemsSlice {
  readonly problems: readonly Problem[];
}

export const problemsSlice: Slice<ProblemsSlice> = () => ({ problems: [] });
