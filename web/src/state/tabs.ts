/** The open workflows: each with its past, its file and the graph that is shown. */

import { emptyWorkflow, type Graph, type Workflow } from "../graph/document";
import { graphAt } from "../graph/graphs";
import { unreadIn } from "../graph/sound";
import type { GraphPath, NodeId } from "../graph/ids";
import { EMPTY_LOG, type Log } from "../graph/log";
import { same } from "../graph/json";
import { sayCount } from "../words";
import { freshId } from "./ownership";
import type { EditorState, Slice } from "./store";

/** The file that a tab was opened from or saved to, as it was then. */
export interface OpenFile {
  readonly name: string;
  readonly revision: string;
}

export type { GraphPath } from "../graph/ids";

export interface Tab {
  readonly id: string;
  readonly workflow: Workflow;
  /** What can be undone and redone. */
  readonly log: Log;
  readonly file: OpenFile | null;
  /** The document without the changes of which nothing is saved. */
  readonly saved: Workflow;
  /** The graph that is shown. */
  readonly path: GraphPath;
  /** The nodes through which it was entered, as runs name them. */
  readonly trail: readonly NodeId[];
}

export interface TabsSlice {
  readonly tabs: readonly Tab[];
  readonly activeTab: string;
  /** Whether the page is being filled: what is shown is not yet what it begins with. */
  readonly isBeginning: boolean;
  /** A tab that is to be closed though it has changes: what to do with them is asked. */
  readonly closing: string | null;
  /** Open a document in a new tab and go there; the tab's id. An untouched blank one gives its place. */
  readonly openWorkflow: (workflow: Workflow, file?: OpenFile | null) => string;
  readonly newTab: () => void;
  readonly activate: (tab: string) => void;
  readonly step: (by: 1 | -1) => void;
  /** Close a tab; one with changes is closed only if they may be `discarded`. */
  readonly closeTab: (tab: string, discarded?: boolean) => void;
  readonly keepTab: () => void;
  readonly moveTab: (tab: string, before: string | null) => void;
  /** Change the tab of this id. */
  readonly changeTab: (tab: string, change: Partial<Omit<Tab, "id">>) => void;
}

export function newTab(workflow: Workflow, file: OpenFile | null = null): Tab {
  return {
    id: freshId(),
    workflow,
    log: EMPTY_LOG,
    file,
    saved: workflow,
    path: [],
    trail: [],
  };
}

export const blankTab = (): Tab => newTab(emptyWorkflow("Untitled"));

/** Whether nothing is in a tab and nothing ever was. */
export const isUntouched = (tab: Tab): boolean =>
  tab.file === null && tab.workflow === tab.saved && Object.keys(tab.workflow.nodes).length === 0;

export const tabsSlice: Slice<TabsSlice> = (set, get) => {
  const first = blankTab();
  return {
    tabs: [first],
    activeTab: first.id,
    isBeginning: false,
    closing: null,
    openWorkflow: (workflow, file = null) => {
      const tab = newTab(workflow, file);
      const { tabs, activeTab: active } = get();
      const rest = tabs.filter((each) => each.id !== active || !isUntouched(each));
      set({
        tabs: [...rest, tab],
        activeTab: tab.id,
        selected: new Set(),
        overlay: null,
        stage: null,
      });
      const unread = unreadIn(workflow);
      if (unread > 0)
        get().notify("warning", sayCount("open.oneUnread", "open.manyUnread", unread));
      return tab.id;
    },
    newTab: () => {
      const tab = blankTab();
      set(({ tabs }) => ({
        tabs: [...tabs, tab],
        activeTab: tab.id,
        selected: new Set(),
        stage: null,
      }));
    },
    activate: (tab) => {
      // A tab that is gone to shows its graph.
      if (tab !== get().activeTab)
        set({ activeTab: tab, selected: new Set(), openWire: null, stage: null });
    },
    step: (by) => {
      const { tabs, activeTab: active, activate } = get();
      const at = tabs.findIndex((tab) => tab.id === active);
      const next = tabs[(at + by + tabs.length) % tabs.length];
      if (next !== undefined) activate(next.id);
    },
    closeTab: (id, discarded = false) => {
      const tab = get().tabs.find((each) => each.id === id);
      if (tab === undefined) return;
      if (!discarded && isDirty(tab)) {
        get().activate(id);
        set({ closing: id });
        return;
      }
      set((state) => without(state, tab));
    },
    keepTab: () => set({ closing: null }),
    moveTab: (id, before) => set(({ tabs }) => ({ tabs: reordered(tabs, id, before) })),
    changeTab: (id, change) =>
      set(({ tabs }) => ({
        tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)),
      })),
  };
};

/** What is there after a tab is closed: a blank one after the last. */
function without({ tabs, activeTab: active }: EditorState, tab: Tab): Partial<EditorState> {
  const left = tabs.filter((each) => each !== tab);
  const rest = left.length > 0 ? left : [blankTab()];
  const next = rest[Math.min(tabs.indexOf(tab), rest.length - 1)];
  const isElsewhere = active !== tab.id || next === undefined;
  const shown = isElsewhere ? {} : { activeTab: next.id, selected: new Set<NodeId>(), stage: null };
  return { tabs: rest, closing: null, ...shown };
}

/** The tabs with one of them before another, or last. */
function reordered(tabs: readonly Tab[], id: string, before: string | null): readonly Tab[] {
  const moved = tabs.find((tab) => tab.id === id);
  if (moved === undefined || id === before) return tabs;
  const rest = tabs.filter((tab) => tab !== moved);
  const at = rest.findIndex((tab) => tab.id === before);
  return rest.toSpliced(at < 0 ? rest.length : at, 0, moved);
}

const compared = new WeakMap<Workflow, { readonly saved: Workflow; readonly dirty: boolean }>();

/** Whether a tab has changes that are not in its file. Undone ones are none. */
export function isDirty({ workflow, saved }: Tab): boolean {
  if (workflow === saved) return false;
  const known = compared.get(workflow);
  if (known?.saved === saved) return known.dirty;
  const dirty = !same(workflow, saved);
  compared.set(workflow, { saved, dirty });
  return dirty;
}

/** The tab that is shown; there is always one. */
export function activeTab(state: EditorState): Tab {
  const tab = state.tabs.find((each) => each.id === state.activeTab) ?? state.tabs[0];
  if (tab === undefined) throw new Error("There is no tab");
  return tab;
}

/** The document that is shown. */
export const activeWorkflow = (state: EditorState): Workflow => activeTab(state).workflow;

/** The names of the subgraphs that lead to the graph that is shown. */
export const activePath = (state: EditorState): GraphPath => activeTab(state).path;

/** The graph that is shown: the workflow, or the one within it that was entered. */
export function activeGraph(state: EditorState): Graph {
  const { workflow, path } = activeTab(state);
  return graphAt(workflow, path) ?? workflow;
}
