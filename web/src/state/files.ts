/** Workflows opened, saved under a revision, and renamed. */

import { ApiError } from "../api/problems";
import { readDocument, saveDocument, type Expected } from "../api/documents";
import { emptyWorkflow } from "../graph/document";
import { renameWorkflow } from "../graph/commands/form";
import { printWorkflow, readWorkflow } from "../graph/read";
import { say } from "../words";
import type { EditorState, SetState, Slice } from "./store";
import { activeTab, isDirty, type Tab } from "./tabs";

/** A question about saving that somebody has to answer. */
export type Asked =
  | {
      readonly kind: "name";
      readonly tab: string;
      readonly name: string;
      readonly problem: string | null;
    }
  /** The file has been changed since: a copy, over it, or the other version instead. */
  | { readonly kind: "outdated" | "exists"; readonly tab: string; readonly name: string };

export interface FilesSlice {
  readonly asked: Asked | null;
  readonly isSaving: boolean;
  /** The tab that is closed once it is saved. */
  readonly closesSaved: string | null;
  /** Save a tab, the active one by default; a new workflow asks for its name. */
  readonly save: (tab?: string) => Promise<boolean>;
  /** Save a tab, and close it once that is done; what was changed meanwhile is asked about again. */
  readonly saveAndClose: (tab: string) => Promise<void>;
  readonly saveAs: (name: string, expected?: Expected) => Promise<boolean>;
  readonly askName: () => void;
  readonly answer: (answer: "copy" | "overwrite" | "reload" | "cancel") => Promise<void>;
  /** Open a saved workflow, or go to the tab that has it. */
  readonly openFile: (name: string) => Promise<void>;
  readonly renameWorkflow: (name: string) => void;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u;

/** Saves one after the other, so that each goes out from the revision that the one before made. */
class Saves {
  private last: Promise<unknown> = Promise.resolve();
  private count = 0;

  /** Save in turn; `act` is told whether it had to wait for another. */
  next(act: (hasWaited: boolean) => Promise<boolean>): Promise<boolean> {
    const hasWaited = this.count > 0;
    this.count += 1;
    const saving = this.last.then(() => act(hasWaited));
    this.last = saving.finally(() => (this.count -= 1)).catch(() => undefined);
    return saving;
  }
}

export const filesSlice: Slice<FilesSlice> = (set, get) => filesIn(set, get, new Saves());

const filesIn = (set: SetState, get: Get, saves: Saves): FilesSlice => ({
  asked: null,
  isSaving: false,
  closesSaved: null,
  save: async (id = get().activeTab) => {
    const found = get().tabs.find((tab) => tab.id === id);
    if (found?.file === null) {
      get().activate(id);
      get().askName();
      return false;
    }
    return saves.next(async (hasWaited) => {
      const tab = get().tabs.find((each) => each.id === id);
      if (tab?.file == null) return false;
      if (hasWaited && !isDirty(tab)) return true;
      return store(set, get, tab, tab.file.name, { revision: tab.file.revision });
    });
  },
  saveAndClose: async (tab) => {
    set({ closesSaved: tab });
    await get().save(tab);
  },
  saveAs: async (name, expected = "new") => {
    const { asked, tabs } = get();
    const tab = tabs.find(({ id }) => id === asked?.tab) ?? activeTab(get());
    const chosen = name.trim();
    if (!NAME.test(chosen)) {
      set({ asked: { kind: "name", tab: tab.id, name, problem: say("save.badName") } });
      return false;
    }
    return saves.next(() => store(set, get, tab, chosen, expected));
  },
  askName: () => {
    const tab = activeTab(get());
    set({ asked: { kind: "name", tab: tab.id, name: fileName(tab), problem: null } });
  },
  answer: async (answer) => {
    const { asked } = get();
    if (asked === null || answer === "cancel" || answer === "reload") {
      set({ asked: null, closesSaved: null });
      if (asked !== null && answer === "reload") await reload(get, asked.tab, asked.name);
      return;
    }
    get().activate(asked.tab);
    if (answer === "overwrite") await get().saveAs(asked.name, "anything");
    else
      set({ asked: { kind: "name", tab: asked.tab, name: `${asked.name} copy`, problem: null } });
  },
  openFile: async (name) => {
    const open = get().tabs.find((tab) => tab.file?.name === name);
    if (open !== undefined) {
      get().activate(open.id);
      return;
    }
    try {
      const { text, revision } = await readDocument(name);
      get().openWorkflow(readWorkflow(text), { name, revision });
    } catch (error) {
      get().notify("error", say("drop.broken", { name, why: whyOf(error) }));
    }
  },
  renameWorkflow: (name) => {
    get().perform(renameWorkflow([], name.trim() === "" ? emptyWorkflow("Untitled").name : name));
  },
});

type Get = () => EditorState;

async function store(
  set: SetState,
  get: Get,
  tab: Tab,
  name: string,
  expected: Expected,
): Promise<boolean> {
  const { workflow } = tab;
  set({ isSaving: true, asked: null });
  try {
    const entry = await saveDocument(name, printWorkflow(workflow), expected);
    get().changeTab(tab.id, { file: { name, revision: entry.revision }, saved: workflow });
    get().announce(say("save.done", { name }));
    if (get().closesSaved === tab.id) {
      set({ closesSaved: null });
      get().closeTab(tab.id);
    }
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.outdated) {
      const kind = tab.file?.name === name ? "outdated" : "exists";
      set({ asked: { kind, tab: tab.id, name } });
    } else {
      get().notify("error", say("save.failed", { why: whyOf(error) }));
      set({ closesSaved: null });
    }
    return false;
  } finally {
    set({ isSaving: false });
  }
}

/** Take the version of the file; what was here can be had back by undo. */
async function reload(get: Get, id: string, name: string): Promise<void> {
  try {
    const { text, revision } = await readDocument(name);
    const workflow = readWorkflow(text);
    get().activate(id);
    get().perform({ name: "reload", apply: () => workflow });
    const now = get().tabs.find((tab) => tab.id === id)?.workflow ?? workflow;
    get().changeTab(id, { file: { name, revision }, saved: now, path: [], trail: [] });
  } catch (error) {
    get().notify("error", say("drop.broken", { name, why: whyOf(error) }));
  }
}

/** A file's name for a workflow that has none yet. */
function fileName(tab: Tab): string {
  if (tab.file !== null) return tab.file.name;
  const plain = tab.workflow.name.replace(/[^\p{L}\p{N} ._-]+/gu, " ").trim();
  return plain === "" ? "workflow" : plain.toLowerCase().replace(/\s+/g, "-");
}

const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
