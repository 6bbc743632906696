import { ApiError } from "../api/problems";
import { readDocument, saveDocument, type Expected } from "../api/documents";
import { emptyWorkflow } from "../graph/document";
import { renameWorkflow } from "../graph/commands/form";
import { printWorkflow, readWorkflow } from "../graph/read";
import { say } from "../words";
import { whatIsIn } from "./dropped";
import type { EditorState, Slice } from "./store";
import { activeTab, type Tab } from "./tabs";

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
  /** Save the active tab; a new workflow asks for its name. */
  readonly save: () => Promise<boolean>;
  readonly saveAs: (name: string, expected?: Expected) => Promise<boolean>;
  readonly askName: () => void;
  readonly answer: (answer: "copy" | "overwrite" | "reload" | "cancel") => Promise<void>;
  /** Open a saved workflow, or go to the tab that has it. */
  readonly openFile: (name: string) => Promise<void>;
  /** Open what a dropped file holds: a workflow, or a picture that carries one. */
  readonly openDropped: (file: File) => Promise<void>;
  readonly renameWorkflow: (name: string) => void;
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u;

export const filesSlice: Slice<FilesSlice> = (set, get) => ({
  asked: null,
  isSaving: false,
  save: async () => {
    const { file } = activeTab(get());
    if (file === null) {
      get().askName();
      return false;
    }
    return store(set, get, file.name, { revision: file.revision });
  },
  saveAs: async (name, expected = "new") => {
    const tab = activeTab(get());
    const chosen = name.trim();
    if (!NAME.test(chosen)) {
      set({ asked: { kind: "name", tab: tab.id, name, problem: say("save.badName") } });
      return false;
    }
    return store(set, get, chosen, expected);
  },
  askName: () => {
    const tab = activeTab(get());
    set({ asked: { kind: "name", tab: tab.id, name: fileName(tab), problem: null } });
  },
  answer: async (answer) => {
    const { asked } = get();
    set({ asked: null });
    if (asked === null || answer === "cancel") return;
    get().activate(asked.tab);
    if (answer === "overwrite") await get().saveAs(asked.name, "anything");
    else if (answer === "copy")
      set({ asked: { kind: "name", tab: asked.tab, name: `${asked.name} copy`, problem: null } });
    else await reload(get, asked.tab, asked.name);
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
  openDropped: async (file) => {
    const found = await whatIsIn(file);
    if ("problem" in found) {
      get().notify("error", found.problem);
      return;
    }
    get().openWorkflow(found.workflow);
    get().notify("info", say("drop.opened", { name: file.name }));
    if (found.remarks.length > 0) {
      const lines = found.remarks.map((remark) => `\n– ${remark}`).join("");
      get().notify("warning", say("drop.remarks", { name: file.name }) + lines);
    }
  },
  renameWorkflow: (name) => {
    get().perform(renameWorkflow([], name.trim() === "" ? emptyWorkflow("Untitled").name : name));
  },
});

type Set = (part: Partial<EditorState>) => void;
type Get = () => EditorState;

async function store(set: Set, get: Get, name: string, expected: Expected): Promise<boolean> {
  const tab = activeTab(get());
  const { workflow } = tab;
  set({ isSaving: true, asked: null });
  try {
    const entry = await saveDocument(name, printWorkflow(workflow), expected);
    get().changeTab(tab.id, { file: { name, revision: entry.revision }, saved: workflow });
    get().announce(say("save.done", { name }));
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.outdated) {
      const kind = tab.file?.name === name ? "outdated" : "exists";
      set({ asked: { kind, tab: tab.id, name } });
    } else get().notify("error", say("save.failed", { why: whyOf(error) }));
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
