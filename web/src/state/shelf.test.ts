import { beforeEach, expect, test } from "vitest";

import { create } from "zustand";
import type { WorkflowEntry } from "../api/shapes";
import { emptyWorkflow } from "../graph/document";
import { shelfSliceIn } from "./shelf";
import { useEditor, type EditorState } from "./store";
import { tabsSlice } from "./tabs";

const begun = (text = "{}") => {
  const entry = { name: "mine", revision: "2" } as WorkflowEntry;
  const store = create<EditorState>()((...own) => ({
    ...useEditor.getInitialState(),
    ...tabsSlice(...own),
    ...shelfSliceIn({
      listWorkflows: () => Promise.resolve([]),
      listVersions: () => Promise.resolve([]),
      deleteWorkflow: () => Promise.resolve(),
      readDocument: () => Promise.resolve({ text: "{}", revision: "2" }),
      saveDocument: (name) => Promise.resolve({ ...entry, name, revision: "3" }),
      readVersion: () => Promise.resolve(text),
    })(...own),
  }));
  return { entry, state: () => store.getState() };
};

beforeEach(() => useEditor.setState(useEditor.getInitialState(), true));

test("a tab that was read before another's save does not overwrite it after a renaming", async () => {
  const { entry, state } = begun();
  const old = state().openWorkflow(emptyWorkflow("old"), { name: "mine", revision: "1" });
  const current = state().openWorkflow(emptyWorkflow("now"), { name: "mine", revision: "2" });
  expect(await state().renameFile(entry, "yours")).toBe(true);
  const fileOf = (tab: string) => state().tabs.find(({ id }) => id === tab)?.file;
  expect(fileOf(old)).toEqual({ name: "yours", revision: "1" });
  expect(fileOf(current)).toEqual({ name: "yours", revision: "3" });
});

test("a version that cannot be read is said", async () => {
  const { state } = begun("{");
  await state().openVersion("mine", 4);
  expect(
    useEditor
      .getState()
      .notices.map(({ text }) => text)
      .join(),
  ).toContain("mine, 4");
});
