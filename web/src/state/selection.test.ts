import { beforeEach, expect, test } from "vitest";

import { nodeId } from "../graph/ids";
import { readWorkflow } from "../graph/read";
import { selectedNodes, selectedOf } from "./selection";
import { useEditor } from "./store";
import { activePath, activeTab } from "./tabs";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const link = (node: string) => ({ $link: [node, "value"] });

beforeEach(() => {
  useEditor.setState(start, true);
  const plain = (inputs: object) => ({ type: "Toy", version: 1, inputs });
  editor().openWorkflow(
    readWorkflow(
      JSON.stringify({
        darkroom: 1,
        name: "Chain",
        nodes: {
          first: plain({}),
          second: plain({ a: link("first") }),
          third: plain({ a: link("second") }),
          box: { type: "Subgraph", version: 1, graph: "inside", inputs: {} },
        },
        subgraphs: { inside: { inputs: {}, outputs: {}, nodes: { deep: plain({}) } } },
        view: { notes: [{ id: "n1", text: "", x: 0, y: 0, width: 100, height: 50 }] },
      }),
    ),
  );
});

test("everything is selected, notes too", () => {
  editor().selectAll();
  expect(selectedNodes(editor())).toEqual(["first", "second", "third", "box"]);
  expect(selectedOf(editor(), "note:")).toEqual(["n1"]);
});

test("the selection goes along the wires, one way or the other", () => {
  editor().select(["second"]);
  editor().selectAlong("upstream");
  expect([...editor().selected].toSorted()).toEqual(["first", "second"]);
  editor().select(["second"]);
  editor().selectAlong("downstream");
  expect([...editor().selected].toSorted()).toEqual(["second", "third"]);
});

test("a subgraph is entered, and left with its node selected", () => {
  editor().enter(nodeId("box"));
  expect(activePath(editor())).toEqual(["inside"]);
  expect(activeTab(editor()).trail).toEqual(["box"]);
  editor().leave();
  expect(activePath(editor())).toEqual([]);
  expect([...editor().selected]).toEqual(["box"]);
});

test("only nodes that stand for a graph are entered", () => {
  editor().enter(nodeId("first"));
  expect(activePath(editor())).toEqual([]);
});

test("an address leads into the graph where its node is", () => {
  editor().reveal("box/deep", "a");
  expect(activePath(editor())).toEqual(["inside"]);
  expect([...editor().selected]).toEqual(["deep"]);
  expect(editor().shownInput).toEqual({ node: "deep", input: "a" });
});
