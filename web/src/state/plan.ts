/** What a run would do, before it is started. */

import { ApiError } from "../api/problems";
import type { Plan } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { pageServer, type Server } from "./server";
import type { Slice } from "./store";
import { activeWorkflow } from "./tabs";

export interface PlanSlice {
  /** For the document of the active tab; null while there is none, or if it cannot run. */
  readonly plan: Plan | null;
  /** The document that the plan is for. */
  readonly plannedFor: Workflow | null;
  readonly isPlanning: boolean;
  /** Ask the server now. */
  readonly makePlan: () => Promise<void>;
  /** Keep the plan current while the document changes; the answer ends that. */
  readonly keepPlan: () => () => void;
}

const PAUSE = 350;

export const planSlice: Slice<PlanSlice> = (...store) => planSliceIn(pageServer())(...store);

/** The slice with a server of one's own: for tests. */
export const planSliceIn =
  (server: Server): Slice<PlanSlice> =>
  (set, get, store) => {
    let asking: AbortController | null = null;

    const makePlan = async () => {
      asking?.abort();
      const own = (asking = new AbortController());
      const document = activeWorkflow(get());
      if (Object.keys(document.nodes).length === 0) {
        // An empty workflow is no mistake yet.
        set({ plan: null, plannedFor: document, isPlanning: false });
        get().checked([], document);
        return;
      }
      set({ isPlanning: true });
      try {
        const plan = await server.plan({ document }, own.signal);
        if (own.signal.aborted) return;
        set({ plan, plannedFor: document });
        get().checked([], document, plan.warnings);
      } catch (error) {
        if (own.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        if (error.stranger) get().report(error);
        if (error.passing || error.stranger) return;
        set({ plan: null, plannedFor: document });
        get().checked(error.problems, document);
      } finally {
        if (asking === own) set({ isPlanning: false });
      }
    };

    return {
      plan: null,
      plannedFor: null,
      isPlanning: false,
      makePlan,
      keepPlan: () => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const soon = () => {
          clearTimeout(timer);
          timer = setTimeout(() => void makePlan(), PAUSE);
        };
        soon();
        const unsubscribe = store.subscribe((now, before) => {
          const document = activeWorkflow(now);
          if (now.activeTab !== before.activeTab) {
            set({ plan: null, plannedFor: null, problems: [], problemsOpen: false });
            get().recallFailure();
          }
          if (!runsAlike(document, activeWorkflow(before)) || now.activeTab !== before.activeTab)
            soon();
        });
        return () => {
          unsubscribe();
          clearTimeout(timer);
          asking?.abort();
        };
      },
    };
  };

/** Whether two documents run the same; where nodes stand does not count. */
export function runsAlike(a: Workflow, b: Workflow): boolean {
  if (a === b) return true;
  return (["nodes", "inputs", "outputs", "subgraphs"] as const).every(
    (part) => a[part] === b[part],
  );
}
