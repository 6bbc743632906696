/** What is wrong, and where. */

import { ABORTED, ApiError } from "../api/problems";
import type { Fault, Job } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { nodeId } from "../graph/ids";
import { addressOf, EMPTY, faultOf } from "./run";
import { shownJob } from "./shown";
import { say, sayCount } from "../words";
import type { EditorState, Slice } from "./store";
import { activeTab } from "./tabs";

/** What is wrong, where, and what to do about it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  /** The node's id, with those of the nodes around it: `outer/inner`. */
  readonly node?: string;
  readonly input?: string;
  /** The nearest remedy: a value, an output or a name that would do, or words to read. */
  readonly hint?: string;
  /** Who found it: the check of the document as it is now, or a run. */
  readonly source: "check" | "run";
  /** It keeps nothing from running: no output depends on the node. */
  readonly isWarning?: true;
}

export interface ProblemsSlice {
  /** Those of the active tab. */
  readonly problems: readonly Problem[];
  /** Whether the list of them is open. */
  readonly problemsOpen: boolean;
  readonly openProblems: (isOpen: boolean) => void;
  /** Show what keeps the active tab from running: the list, and where the first one is. */
  readonly showBlockers: () => void;
  /** What went wrong apart from any node, such as a lost connection; said once. */
  readonly notice: ApiError | null;
  readonly dismissNotice: () => void;
  /** Say that a request failed. */
  readonly report: (error: unknown) => void;
  /** Say why the server does not take a run. */
  readonly refuse: (error: ApiError) => void;
  /** Mark where a run of the active tab failed. */
  readonly tellFailure: (job: Job) => void;
  /** Mark where the last run of the active tab failed, if it did: after going there, or a reload. */
  readonly recallFailure: () => void;
  /** Whether the server does not know who this is any more. */
  readonly isSignedOut: boolean;
  /** The server has answered as one does to somebody known. */
  readonly signedIn: () => void;
  /** Take the faults that a check of the document found, in place of the last check's. */
  readonly checked: (
    faults: readonly Fault[],
    document: Workflow,
    warnings?: readonly Fault[],
  ) => void;
  /** Select the node of a problem, in the graph where it is. */
  readonly goTo: (problem: Problem) => void;
}

export const problemsSlice: Slice<ProblemsSlice> = (set, get) => ({
  problems: [],
  problemsOpen: false,
  openProblems: (problemsOpen) => set({ problemsOpen }),
  showBlockers: () => {
    const [first, ...others] = blockersIn(get());
    if (first === undefined) return;
    // The focus goes to the list, whose first row leads to the field.
    if (first.node !== undefined) get().reveal(first.node);
    set({ problemsOpen: true });
    get().announce(sayCount("run.said.blocked", "run.said.blockedMany", others.length + 1));
  },
  notice: null,
  isSignedOut: false,
  signedIn: () => {
    if (get().isSignedOut) set({ isSignedOut: false });
  },
  dismissNotice: () => set({ notice: null }),
  report: (error) => {
    if (!(error instanceof ApiError)) {
      get().notify("error", say("error.own", { why: whyOf(error) }));
      return;
    }
    if (error.stranger) {
      set({ isSignedOut: true });
      return;
    }
    // That the server is away is told by the connection, once for all requests.
    if (error.code !== ABORTED && !error.passing) set({ notice: error });
  },
  refuse: (error) => {
    const { workflow } = activeTab(get());
    if (error.problems.length === 0) set({ notice: error });
    set(({ problems }) => ({
      problems: [...of("check", problems), ...placed(error.problems, workflow, "run")],
    }));
  },
  tellFailure: (job) => {
    const { tabJobs, activeTab: tab, documents } = get();
    if (!(tabJobs[tab] ?? []).includes(job.id)) return;
    const found = placed(faultsOf(job), documents[job.id] ?? EMPTY, "run");
    set(({ problems }) => ({ problems: [...of("check", problems), ...found] }));
  },
  recallFailure: () => {
    const job = shownJob(get());
    if (job?.state === "failed") get().tellFailure(job);
  },
  checked: (faults, document, warnings = []) =>
    set((state) => {
      const problems = [
        ...placed(faults, document, "check"),
        ...of("run", state.problems),
        ...placed(warnings, document, "check").map(asWarning),
      ];
      // An empty list is none; it shall not open again with the next problem.
      return { problems, problemsOpen: state.problemsOpen && problems.length > 0 };
    }),
  goTo: ({ node, input }) => {
    if (node !== undefined) get().reveal(nodeId(node), input);
  },
});

/** The faults of a job; where it names none, that of the whole. */
function faultsOf(job: Job): readonly Fault[] {
  const faults = job.error?.problems.map((json) => faultOf(json, job)) ?? [];
  return faults.length > 0 || job.error === null ? faults : [faultOf(undefined, job)];
}

const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const of = (source: Problem["source"], problems: readonly Problem[]): readonly Problem[] =>
  problems.filter((problem) => problem.source === source);

function placed(
  faults: readonly Fault[],
  document: Workflow,
  source: Problem["source"],
): readonly Problem[] {
  return faults.map(({ code, message, node, input, hint }) => ({
    code,
    message,
    ...(node != null && { node: addressOf(node, document) }),
    ...(input != null && { input }),
    ...(hint != null && { hint }),
    source,
  }));
}

const asWarning = (problem: Problem): Problem => ({ ...problem, isWarning: true });

/** What the check found that keeps the active tab from running. */
export const blockersIn = ({ problems }: Pick<EditorState, "problems">): readonly Problem[] =>
  problems.filter((problem) => problem.source === "check" && problem.isWarning !== true);

/** The problems of a node, or of one of its inputs. */
export const problemsOf = (
  state: Pick<EditorState, "problems">,
  node: string,
  input?: string,
): readonly Problem[] =>
  state.problems.filter(
    (problem) => problem.node === node && (input === undefined || problem.input === input),
  );
