/** What a window begins with: its tabs of the last time, a chosen workflow, or the first one. */

import type { StoreApi } from "zustand";

import { startSession } from "./session";
import { setSeedMode } from "./seeds";
import { formInputs } from "./form";
import type { EditorState } from "./store";
import { activeTab, activeWorkflow } from "./tabs";

/** The workflow that comes with Darkroom and makes a picture from a text. */
const FIRST = "text-to-image";

/** Fill the page. `?workflow=portrait` opens that one, `?run=JOB` what a job ran. */
export async function begin(
  store: StoreApi<EditorState>,
  query: URLSearchParams,
  restore: (store: StoreApi<EditorState>) => Promise<boolean> = startSession,
): Promise<void> {
  store.setState({ isBeginning: true });
  try {
    await fill(store, query, restore);
  } finally {
    store.setState({ isBeginning: false });
  }
}

async function fill(
  store: StoreApi<EditorState>,
  query: URLSearchParams,
  restore: (store: StoreApi<EditorState>) => Promise<boolean>,
): Promise<void> {
  const hadTabs = await restore(store);
  await store.getState().loadCatalogue();
  const { start, openFile, openRun, newTab } = store.getState();
  const asked = query.get("workflow");
  const run = query.get("run");
  if (run !== null && (await openRun(run))) return;
  if (asked !== null) await openFile(asked);
  else if (start.kind === "workflow") await openFile(start.name);
  else if (start.kind === "blank") {
    if (hadTabs && !isBlank(store.getState())) newTab();
  } else if (!hadTabs) await openFirst(store);
}

const isBlank = (state: EditorState): boolean =>
  Object.keys(activeWorkflow(state).nodes).length === 0;

/** A new profile: the first workflow, whose seeds change so that each press gives another picture. */
async function openFirst(store: StoreApi<EditorState>): Promise<void> {
  // Somebody who dropped a file before all was there wants that one.
  if (!isBlank(store.getState())) return;
  await store.getState().openFile(FIRST);
  const state = store.getState();
  const { id, workflow, path } = activeTab(state);
  const seeded = formInputs(workflow, path, state.catalogue)
    .filter(({ field }) => field.kind === "seed")
    .reduce(
      (changed, { port }) =>
        setSeedMode([], port.node, port.input, "random").apply(changed, state.catalogue),
      workflow,
    );
  // It is how the workflow begins here, so it is neither a step of undo nor a change to be saved.
  if (seeded !== workflow) state.changeTab(id, { workflow: seeded, saved: seeded });
}
