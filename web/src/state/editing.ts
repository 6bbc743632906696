import type { Workflow } from "../graph/document";
import { activeTab } from "./tabs";
import type { Slice } from "./store";

/** A change of the document: pure, with a name that undo shows. */
export interface Command {
  readonly name: string;
  readonly apply: (workflow: Workflow) => Workflow;
}

export interface EditingSlice {
  /** Change the document of the active tab. Steps with the same `merge` key become one. */
  readonly perform: (command: Command, options?: { readonly merge?: string }) => void;
  readonly undo: () => void;
  readonly redo: () => void;
}

export const editingSlice: Slice<EditingSlice> = (set, get) => ({
  perform: (command) => {
    const tab = activeTab(get());
    const workflow = command.apply(tab.workflow);
    set(({ tabs }) => ({ tabs: tabs.map((each) => (each === tab ? { ...tab, workflow } : each)) }));
  },
  undo: () => undefined,
  redo: () => undefined,
});
