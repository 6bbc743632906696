import { beforeEach, expect, test } from "vitest";

import { renameWorkflow } from "../graph/commands/form";
import { emptyWorkflow } from "../graph/document";
import { useEditor } from "./store";
import { activeTab, isDirty } from "./tabs";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const names = () => editor().tabs.map(({ workflow }) => workflow.name);
const idOf = (name: string) => editor().tabs.find((tab) => tab.workflow.name === name)?.id ?? "";

beforeEach(() => {
  useEditor.setState(start, true);
  for (const name of ["one", "two", "three"]) {
    editor().newTab();
    editor().perform(renameWorkflow([], name));
  }
});

test("an untouched blank tab gives its place to what is opened", () => {
  editor().newTab();
  const before = editor().tabs.length;
  editor().openWorkflow(emptyWorkflow("opened"), { name: "opened", revision: "1" });
  expect(editor().tabs).toHaveLength(before);
  expect(activeTab(editor()).workflow.name).toBe("opened");
});

test("going on from the last tab leads to the first", () => {
  editor().activate(idOf("three"));
  editor().step(1);
  expect(editor().activeTab).toBe(editor().tabs[0]?.id);
  editor().step(-1);
  expect(editor().activeTab).toBe(idOf("three"));
});

test("a tab is moved before another one, or to the end", () => {
  editor().moveTab(idOf("three"), idOf("one"));
  expect(names().slice(-3)).toEqual(["three", "one", "two"]);
  editor().moveTab(idOf("three"), null);
  expect(names().slice(-3)).toEqual(["one", "two", "three"]);
});

test("the tab that is shown is carried along the strip, as far as that goes", () => {
  editor().activate(idOf("two"));
  editor().carryTab(1);
  expect(names().slice(-3)).toEqual(["one", "three", "two"]);
  expect(editor().announcement.text).toBe("two is workflow 4 of 4");
  editor().carryTab(1);
  editor().carryTab(-2);
  expect(names().slice(-3)).toEqual(["two", "one", "three"]);
});

test("a tab with changes is closed only once they may be lost", () => {
  const id = idOf("two");
  editor().closeTab(id);
  expect(editor().closing).toBe(id);
  expect(names()).toContain("two");
  editor().keepTab();
  expect(editor().closing).toBeNull();
  editor().closeTab(id, true);
  expect(names()).not.toContain("two");
});

test("undone changes are none", () => {
  expect(isDirty(activeTab(editor()))).toBe(true);
  editor().undo();
  expect(isDirty(activeTab(editor()))).toBe(false);
});

test("there is always a tab", () => {
  for (const { id } of editor().tabs) editor().closeTab(id, true);
  expect(editor().tabs).toHaveLength(1);
  expect(Object.keys(activeTab(editor()).workflow.nodes)).toEqual([]);
});
