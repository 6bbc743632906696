import { beforeEach, expect, test } from "vitest";

import { catalogue } from "../../tests/graph";
import { nodeId } from "../graph/ids";
import { printJson } from "../graph/json";
import { readWorkflow } from "../graph/read";
import { useEditor } from "./store";
import { placeIn, wireOf } from "./structure";
import { activeGraph, activeTab, activeWorkflow } from "./tabs";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();

/** Two nodes with a wire and one beside them, of types that pass one kind of value on. */
beforeEach(() => {
  useEditor.setState({ ...start, catalogue }, true);
  const passing = [...catalogue.types.values()].find(
    ({ inputs, outputs }) =>
      outputs.length === 1 &&
      inputs.filter(({ kind }) => kind === "link").length === 1 &&
      inputs.some(
        ({ kind, type }) =>
          kind === "link" &&
          type.kind === "named" &&
          outputs[0]?.type.kind === "named" &&
          outputs[0].type.name === type.name,
      ),
  );
  if (passing === undefined) throw new Error("No type passes on what it takes.");
  const input = passing.inputs.find(({ kind }) => kind === "link")?.name ?? "";
  const [output] = passing.outputs;
  const node = (inputs: object) => ({ type: passing.name, version: passing.version, inputs });
  const document = {
    darkroom: 1,
    name: "Three",
    nodes: {
      one: node({}),
      two: node({ [input]: { $link: ["one", output?.name] } }),
      loose: node({}),
    },
    view: {
      nodes: { one: { x: 0, y: 0 }, two: { x: 600, y: 0 }, loose: { x: 300, y: 200 } },
    },
  };
  editor().openWorkflow(readWorkflow(JSON.stringify(document)));
});

function wire() {
  const [input] = Object.keys(activeGraph(editor()).nodes[nodeId("two")]?.inputs ?? {});
  const found = wireOf(editor(), `wire:two\n${input ?? ""}\n0`);
  if (found === null) throw new Error("The wire is gone.");
  return found;
}

const linksOf = (id: string): string =>
  printJson(activeGraph(editor()).nodes[nodeId(id)]?.inputs ?? {});

test("a node with free ports goes into a wire, and a wired one is moved past", () => {
  expect(editor().canInsert(nodeId("loose"), wire())).toBe(true);
  expect(editor().canInsert(nodeId("one"), wire())).toBe(false);
});

test("to drop a node on a wire is one step, with its new place", () => {
  const { to } = wire();
  const before = activeWorkflow(editor());
  const places = new Map([["loose", { x: 310, y: 0 }]]);
  editor().insertDropped(nodeId("loose"), `wire:two\n${to.input}\n0`, places);
  expect(linksOf("two")).toContain("loose");
  expect(linksOf("loose")).toContain("one");
  expect(placeIn(activeGraph(editor()), "loose")).toEqual({ x: 310, y: 0 });
  editor().undo();
  expect(activeWorkflow(editor())).toEqual(before);
});

test("several wires are cut in one step", () => {
  editor().cutWires([wire()]);
  expect(linksOf("two")).toBe("{}");
  editor().undo();
  expect(linksOf("two")).toContain("one");
});

test("a bend is added, moved, and taken away with what is selected", () => {
  const { to } = wire();
  editor().addReroute(`wire:two\n${to.input}\n0`, { x: 200, y: 20 });
  const [bend] = activeGraph(editor()).view?.reroutes ?? [];
  const key = `reroute:${bend?.id ?? ""}`;
  expect(placeIn(activeGraph(editor()), key)).toMatchObject({ x: 200, y: 20 });
  editor().moveItems(new Map([[key, { x: 292, y: 92 }]]));
  expect(placeIn(activeGraph(editor()), key)).toMatchObject({ x: 300, y: 100 });
  editor().select([key]);
  editor().deleteSelection();
  expect(activeGraph(editor()).view?.reroutes ?? []).toEqual([]);
  expect(linksOf("two")).toContain("one");
});

test("a note is written, moved and sized", () => {
  editor().addNote({ x: 10, y: 20 });
  const [note] = activeGraph(editor()).view?.notes ?? [];
  const id = note?.id ?? "";
  expect(editor().renaming).toBe(`note:${id}`);
  editor().setNoteText(id, "Mind the gap");
  editor().moveItems(new Map([[`note:${id}`, { x: 30, y: 40, width: 300, height: 90 }]]));
  expect(activeGraph(editor()).view?.notes).toEqual([
    { id, text: "Mind the gap", x: 30, y: 40, width: 300, height: 90 },
  ]);
});

test("what is removed heals what it leaves, and the selection is empty", () => {
  const places = new Map([["loose", {}]]);
  editor().insertDropped(nodeId("loose"), `wire:two\n${wire().to.input}\n0`, places);
  editor().select(["loose"]);
  editor().deleteSelection();
  expect(linksOf("two")).toContain("one");
  expect(editor().selected.size).toBe(0);
});

test("a node is sized by its width; its height follows from what is in it", () => {
  editor().moveItems(new Map([["one", { width: 300, height: 500 }]]));
  expect(activeGraph(editor()).view?.nodes?.["one"]).toEqual({ x: 0, y: 0, width: 300 });
});

test("wires of a node are hidden, and shown again", () => {
  editor().select(["one"]);
  editor().toggleWires();
  expect(activeGraph(editor()).view?.nodes?.["one"]).toMatchObject({ wiresHidden: true });
  editor().toggleWires();
  expect(activeGraph(editor()).view?.nodes?.["one"]).toEqual({ x: 0, y: 0 });
});

test("wires that come with a node are told, whether it is added or dropped on a wire", () => {
  const { workflow } = activeTab(editor());
  editor().insertDropped(nodeId("loose"), wireKey(), new Map());
  expect(activeTab(editor()).workflow).not.toBe(workflow);
  expect(editor().announcement.text.match(/connected/gi)).toHaveLength(2);
  const { type } = activeGraph(editor()).nodes[nodeId("two")] ?? {};
  const output = wire().from.output;
  if (type === undefined) throw new Error("The node is gone.");
  editor().addNode(type, { x: 0, y: 0 }, { node: nodeId("two"), side: "out", name: output });
  expect(editor().announcement.text).toMatch(/added.*connected/i);
});

function wireKey(): string {
  const { to, index } = wire();
  return `wire:${to.node}\n${to.input}\n${index}`;
}
