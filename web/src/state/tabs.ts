import type { Graph, Workflow } from "../graph/document";
import type { GraphName } from "../graph/ids";
import type { EditorState, Slice } from "./store";

/** The names of the graphs from the workflow (the empty path) down to one within it. */
export type GraphPath = readonly GraphName[];

/** The file that a tab was opened from or saved to, as it was then. */
export interface OpenFile {
  readonly name: string;
  readonly revision: string;
  readonly saved: Workflow;
}

export interface Tab {
  readonly id: string;
  readonly workflow: Workflow;
  readonly file: OpenFile | null;
  readonly path: GraphPath;
}

export interface TabsSlice {
  readonly tabs: readonly Tab[];
  readonly activeTab: string;
  /** Open a document in a new tab and go there; the tab's id. */
  readonly openWorkflow: (workflow: Workflow, file?: OpenFile | null) => string;
  readonly activate: (tab: string) => void;
  readonly closeTab: (tab: string) => void;
}

const blank: Workflow = { darkroom: 1, name: "Untitled", inputs: {}, outputs: {}, nodes: {} };

const newTab = (workflow: Workflow, file: OpenFile | null): Tab => ({
  id: crypto.randomUUID(),
  workflow,
  file,
  path: [],
});

export const tabsSlice: Slice<TabsSlice> = (set) => {
  const first = newTab(blank, null);
  return {
    tabs: [first],
    activeTab: first.id,
    openWorkflow: (workflow, file = null) => {
      const tab = newTab(workflow, file);
      set((state) => ({ tabs: [...state.tabs, tab], activeTab: tab.id }));
      return tab.id;
    },
    activate: (tab) => set({ activeTab: tab }),
    closeTab: (id) =>
      set(({ tabs, activeTab }) => {
        const at = tabs.findIndex((tab) => tab.id === id);
        const left = tabs.filter((tab) => tab.id !== id);
        const rest = left.length > 0 ? left : [newTab(blank, null)];
        const next = rest[Math.min(at, rest.length - 1)];
        return { tabs: rest, activeTab: activeTab === id && next ? next.id : activeTab };
      }),
  };
};

/** The tab that is shown; there is always one. */
export function activeTab(state: EditorState): Tab {
  const tab = state.tabs.find((each) => each.id === state.activeTab) ?? state.tabs[0];
  if (tab === undefined) throw new Error("There is no tab");
  return tab;
}

/** The document that is shown. */
export const activeWorkflow = (state: EditorState): Workflow => activeTab(state).workflow;

/** The graph that is shown: the workflow, or the one within it that was entered. */
export function activeGraph(state: EditorState): Graph {
  const { workflow, path } = activeTab(state);
  let graph: Graph = workflow;
  for (const name of path) graph = graph.subgraphs?.[name] ?? graph;
  return graph;
}
