/** Runs that were asked for, until the server has confirmed them: none is lost, none runs twice. */

import { newKey } from "../api/client";
import { ApiError } from "../api/problems";
import type { Job } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { isList, isObject, printJson, readJson, type Json, type JsonObject } from "../graph/json";
import { sealed } from "../graph/log";
import { workflowFrom } from "../graph/read";
import { entriesOf } from "../graph/tables";
import { say } from "../words";
import { learn } from "./hearing";
import type { Surroundings } from "./running";
import { blockersIn } from "./problems";
import { advanceSeeds, movedAlong } from "./seeds";
import type { EditorState, SetState } from "./store";
import { activeTab, type Tab } from "./tabs";

/** A run that was asked for and that the server has not confirmed yet. */
export interface Waiting {
  /** Asked again with it, the server runs it once. */
  readonly key: string;
  readonly tab: string;
  readonly document: Workflow;
  readonly front: boolean;
  /** Whether the server could not be reached so far. */
  readonly isStuck: boolean;
}

interface Remembered {
  readonly tabJobs: Readonly<Record<string, readonly string[]>>;
  readonly waiting: readonly Waiting[];
}

/** What became of a submission: `stuck` ones are sent again when the server is back. */
type Outcome = "taken" | "stuck" | "refused";

const PLACE = "darkroom.running";
const JOBS_OF_TAB = 8;
const TABS = 40;
const PLANS = 60;

export function submitting(around: Surroundings, set: SetState, get: () => EditorState) {
  const { remember, send } = sending(around, set, get);
  return {
    remembered: recalled(around.memory),
    generate: async ({ front = false }: { readonly front?: boolean } = {}): Promise<void> => {
      // What was wrong may have been put right outside, such as by a file that is there now.
      if (blockersIn(get()).length > 0) await get().makePlan();
      if (!isReady(get())) return;
      const tab = activeTab(get());
      const waiting = { key: newKey(), tab: tab.id, document: tab.workflow, front, isStuck: false };
      set((state) => ({ waiting: [...state.waiting, waiting] }));
      remember();
      // At once: what is asked for next shall have the next seeds.
      const next = advanceSeeds().apply(tab.workflow, get().catalogue);
      if (next !== tab.workflow) {
        // A run is no edit: neither a step of undo, nor a change that is to be saved.
        const saved = movedAlong(tab.saved, tab.workflow, next);
        get().changeTab(tab.id, { workflow: next, log: sealed(tab.log), saved });
      }
      if ((await send(waiting)) === "refused") takeBack(get(), tab, next);
    },
    /** Send again what the server did not get. */
    flush: async (): Promise<void> => {
      for (const waiting of get().waiting)
        if (waiting.isStuck && get().waiting.some(({ key }) => key === waiting.key))
          await send(waiting);
    },
    /** Take back what the server has not confirmed. */
    withdraw: (): void => {
      set({ waiting: [] });
      remember();
    },
    remember,
  };
}

/** Whether the active tab can be run; if not, what is in the way is shown. */
function isReady(state: EditorState): boolean {
  if (state.isBeginning) state.announce(say("run.beginning"));
  else if (blockersIn(state).length > 0) state.showBlockers();
  else if (Object.keys(activeTab(state).workflow.nodes).length > 0) return true;
  else state.notify("info", say("run.nothing"));
  return false;
}

/** After a refusal: seeds that were moved for the next run, and the list of what is wrong. */
function takeBack(state: EditorState, tab: Tab, moved: Workflow): void {
  if (state.tabs.find(({ id }) => id === tab.id)?.workflow === moved)
    state.changeTab(tab.id, { workflow: tab.workflow, saved: tab.saved });
  if (state.activeTab === tab.id) state.openProblems(state.problems.length > 0);
}

function sending({ server, memory }: Surroundings, set: SetState, get: () => EditorState) {
  const remember = () => {
    const { tabJobs, waiting } = get();
    try {
      memory?.setItem(PLACE, printJson({ tabJobs, waiting: waiting.map(asJson) }));
    } catch {
      // A full storage keeps nobody from running; only a reload would forget what waits.
    }
  };

  const send = async (waiting: Waiting): Promise<Outcome> => {
    const { document, front, key } = waiting;
    try {
      const job = await server.submit({ document, front }, key);
      const isWithdrawn = !get().waiting.some((each) => each.key === key);
      set((state) => confirmed(state, waiting, job));
      get().signedIn();
      if (isWithdrawn) await server.cancelJob(job.id);
      return "taken";
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isStuck = error.passing || error.stranger;
      if (error.stranger) get().report(error);
      const { waiting: all } = get();
      set({ waiting: isStuck ? all.map(stuckIf(key)) : all.filter((each) => each.key !== key) });
      if (!isStuck) get().refuse(error);
      return isStuck ? "stuck" : "refused";
    } finally {
      remember();
    }
  };

  return { remember, send };
}

const stuckIf =
  (key: string) =>
  (waiting: Waiting): Waiting =>
    waiting.key === key ? { ...waiting, isStuck: true } : waiting;

function confirmed(state: EditorState, sent: Waiting, job: Job): Partial<EditorState> {
  const own = (state.tabJobs[sent.tab] ?? []).filter((id) => id !== job.id);
  const plan = state.plannedFor === sent.document ? state.plan : null;
  const isShown = sent.tab === activeTab(state).id;
  return {
    ...learn(state, job),
    documents: { ...state.documents, [job.id]: sent.document },
    plans: plan === null ? state.plans : newest({ ...state.plans, [job.id]: plan }),
    tabJobs: { ...state.tabJobs, [sent.tab]: [...own, job.id].slice(-JOBS_OF_TAB) },
    waiting: state.waiting.filter((each) => each.key !== sent.key),
    problems: isShown
      ? state.problems.filter((problem) => problem.source !== "run")
      : state.problems,
  };
}

/** Plans tell how far a run is; those of runs long past are let go. */
function newest(plans: EditorState["plans"]): EditorState["plans"] {
  return Object.fromEntries(Object.entries(plans).slice(-PLANS));
}

const asJson = ({ key, tab, document, front }: Waiting): JsonObject => ({
  key,
  tab,
  document,
  front,
});

/** What was kept over a reload. All that waits is sent again. */
function recalled(memory: Surroundings["memory"]): Remembered {
  try {
    const kept = readJson(memory?.getItem(PLACE) ?? "{}");
    if (!isObject(kept)) return { tabJobs: {}, waiting: [] };
    const tabJobs = isObject(kept["tabJobs"]) ? kept["tabJobs"] : {};
    const waiting = isList(kept["waiting"]) ? kept["waiting"] : [];
    return {
      tabJobs: Object.fromEntries(
        entriesOf(tabJobs)
          .slice(-TABS)
          .map(([tab, jobs]) => [tab, isList(jobs) ? jobs.filter(isText) : []]),
      ),
      waiting: waiting.flatMap(waitingFrom),
    };
  } catch {
    return { tabJobs: {}, waiting: [] };
  }
}

function waitingFrom(json: Json): Waiting[] {
  if (!isObject(json)) return [];
  const { key, tab, document, front } = json;
  if (!isText(key) || !isText(tab) || document === undefined) return [];
  return [{ key, tab, document: workflowFrom(document), front: front === true, isStuck: true }];
}

const isText = (json: Json | undefined): json is string => typeof json === "string";
