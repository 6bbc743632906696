import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { renameWorkflow } from "../graph/commands/form";
import { emptyWorkflow } from "../graph/document";
import type { Draft, Drafts } from "./drafts";
import { noteBroken, startSession } from "./session";
import { useEditor } from "./store";
import { activeTab } from "./tabs";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const unsubscribed: (() => void)[] = [];

/** Drafts in memory. */
class Kept {
  readonly all = new Map<string, Draft>();
  fault: "quota" | null = null;

  asDrafts(): Drafts {
    const kept = {
      all: () => Promise.resolve([...this.all.values()]),
      keep: (draft: Draft) => {
        if (this.fault === null) this.all.set(draft.id, draft);
        return Promise.resolve(this.fault);
      },
      drop: (id: string) => {
        this.all.delete(id);
        return Promise.resolve(null);
      },
    };
    return kept as unknown as Drafts;
  }
}

/** A window with a memory of its own. */
function openWindow(memory = new Map<string, string>()): Map<string, string> {
  useEditor.setState(start, true);
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => memory.get(key) ?? null,
    setItem: (key: string, value: string) => memory.set(key, value),
    removeItem: (key: string) => memory.delete(key),
  });
  return memory;
}

const written = () => new Promise((resolve) => setTimeout(resolve, 450));

beforeEach(() => {
  vi.stubGlobal("navigator", {});
  // Windows that are left here stay in the same process: they would go on answering.
  vi.stubGlobal("BroadcastChannel", undefined);
  vi.stubGlobal("window", { addEventListener: () => undefined });
  vi.stubGlobal("document", { addEventListener: () => undefined, visibilityState: "visible" });
  const { subscribe } = useEditor;
  vi.spyOn(useEditor, "subscribe").mockImplementation((listener) => {
    const end = subscribe(listener);
    unsubscribed.push(end);
    return end;
  });
});

afterEach(() => {
  for (const end of unsubscribed.splice(0)) end();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function leave(): Promise<void> {
  await written();
  for (const end of unsubscribed.splice(0)) end();
}

test("tabs come back after a reload, in their order, with their steps of undo", async () => {
  const kept = new Kept();
  const memory = openWindow();
  expect(await startSession(useEditor, kept.asDrafts())).toBe(false);
  editor().perform(renameWorkflow([], "first"));
  editor().newTab();
  editor().perform(renameWorkflow([], "second"));
  await written();
  const [first, second] = editor().tabs;
  editor().moveTab(second?.id ?? "", first?.id ?? "");
  editor().activate(first?.id ?? "");
  await leave();

  openWindow(memory);
  expect(await startSession(useEditor, kept.asDrafts())).toBe(true);
  expect(editor().tabs.map(({ workflow }) => workflow.name)).toEqual(["second", "first"]);
  expect(activeTab(editor()).workflow.name).toBe("first");
  editor().undo();
  expect(activeTab(editor()).workflow.name).toBe("Untitled");
});

test("a tab is kept as soon as it is opened, so that a run from it is not left without one", async () => {
  const kept = new Kept();
  openWindow();
  await startSession(useEditor, kept.asDrafts());
  const tab = editor().openWorkflow(emptyWorkflow("opened"), { name: "opened", revision: "1" });
  expect([...kept.all.keys()]).toEqual([tab]);
});

test("a closed tab leaves no draft", async () => {
  const kept = new Kept();
  openWindow();
  await startSession(useEditor, kept.asDrafts());
  editor().perform(renameWorkflow([], "first"));
  editor().newTab();
  await written();
  expect(kept.all.size).toBe(2);
  editor().closeTab(editor().activeTab, true);
  await written();
  expect(kept.all.size).toBe(1);
});

test("a window with nothing in it leaves nothing, so the next one is as new", async () => {
  const kept = new Kept();
  const memory = openWindow();
  await startSession(useEditor, kept.asDrafts());
  editor().newTab();
  editor().closeTab(editor().activeTab);
  await leave();
  expect(kept.all.size).toBe(0);
  openWindow(memory);
  expect(await startSession(useEditor, kept.asDrafts())).toBe(false);
});

test("a full storage is told, and the work goes on", async () => {
  const kept = new Kept();
  kept.fault = "quota";
  openWindow();
  await startSession(useEditor, kept.asDrafts());
  editor().perform(renameWorkflow([], "kept here"));
  await written();
  expect(editor().notices.map(({ kind }) => kind)).toContain("warning");
  expect(activeTab(editor()).workflow.name).toBe("kept here");
});

test("a draft that cannot be read is left out", async () => {
  const kept = new Kept();
  const memory = openWindow();
  await startSession(useEditor, kept.asDrafts());
  editor().perform(renameWorkflow([], "readable"));
  await leave();
  const [draft] = kept.all.values();
  if (draft === undefined) throw new Error("Nothing was kept.");
  kept.all.set("broken", { ...draft, id: "broken", content: "{" });
  openWindow(memory);
  await startSession(useEditor, kept.asDrafts());
  expect(editor().tabs.map(({ id }) => id)).toEqual([draft.id]);
});

test("a tab that could not be shown is kept, and not shown at once again", async () => {
  const kept = new Kept();
  const memory = openWindow();
  await startSession(useEditor, kept.asDrafts());
  editor().perform(renameWorkflow([], "broken"));
  noteBroken(editor().activeTab);
  await leave();
  openWindow(memory);
  await startSession(useEditor, kept.asDrafts());
  expect(editor().tabs.map(({ workflow }) => workflow.name)).toEqual(["broken", "Untitled"]);
  expect(activeTab(editor()).workflow.name).toBe("Untitled");
  await leave();
  openWindow(memory);
  editor().activate(editor().tabs[0]?.id ?? "");
  await startSession(useEditor, kept.asDrafts());
  expect(editor().tabs).toHaveLength(2);
});
