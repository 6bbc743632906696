import { beforeEach, expect, test } from "vitest";

import { readWorkflow } from "../graph/read";
import { useEditor } from "./store";
import { activeGraph, activeTab } from "./tabs";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const ids = () => Object.keys(activeGraph(editor()).nodes);

beforeEach(() => {
  useEditor.setState(start, true);
  editor().openWorkflow(
    readWorkflow(
      JSON.stringify({
        darkroom: 1,
        name: "Pair",
        nodes: {
          one: { type: "Toy", version: 1, inputs: { text: "a" } },
          two: { type: "Toy", version: 1, inputs: { a: { $link: ["one", "value"] } } },
        },
        view: { nodes: { one: { x: 0, y: 0 }, two: { x: 300, y: 40 } } },
      }),
    ),
  );
});

test("the selection is text that another tab takes, with its inner wires", () => {
  editor().select(["one", "two"]);
  const text = editor().selectionText() ?? "";
  expect(text).toContain('"Toy"');
  editor().newTab();
  expect(editor().pasteText(text, false)).toBe(true);
  expect(ids()).toHaveLength(2);
  expect(JSON.stringify(activeGraph(editor()).nodes)).toContain("$link");
  expect(editor().selected.size).toBe(2);
});

test("outer wires come along only where they are asked for", () => {
  editor().select(["two"]);
  const text = editor().selectionText() ?? "";
  const linksOfNewest = () =>
    JSON.stringify(Object.values(activeGraph(editor()).nodes).at(-1)?.inputs);
  editor().pasteText(text, false);
  expect(linksOfNewest()).not.toContain("one");
  editor().pasteText(text, true);
  expect(linksOfNewest()).toContain("one");
});

test("text that is no clip leaves the graph as it is", () => {
  const { workflow } = activeTab(editor());
  expect(editor().pasteText("a cat, sitting", false)).toBe(false);
  expect(editor().pasteText("{}", false)).toBe(false);
  expect(activeTab(editor()).workflow).toBe(workflow);
});

test("nothing selected is nothing to copy", () => {
  editor().select([]);
  expect(editor().selectionText()).toBeNull();
});

test("copies moved by so much stand there, and are one step", () => {
  editor().select(["one", "two"]);
  editor().duplicate({ x: 50, y: 100 });
  const places = activeGraph(editor()).view?.nodes ?? {};
  const added = ids().filter((id) => id !== "one" && id !== "two");
  expect(added.map((id) => places[id])).toEqual([
    { x: 50, y: 100 },
    { x: 350, y: 140 },
  ]);
  editor().undo();
  expect(ids()).toEqual(["one", "two"]);
});
