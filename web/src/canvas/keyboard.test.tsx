// @vitest-environment jsdom
import { cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { nodeId } from "../graph/ids";
import { readWorkflow } from "../graph/read";
import { EMPTY_CATALOGUE } from "../graph/catalogue";
import type { CanvasView, PortRef } from "../state/canvas";
import { useEditor } from "../state/store";
import { placeIn } from "../state/structure";
import { activeGraph, activeTab } from "../state/tabs";
import { middleOf } from "./alongWire";
import { FlowBuilder } from "./flow";
import type { Board } from "./gestures";
import { onCanvasKey } from "./keyboard";
import { boxOf } from "./places";
import { measuresOf } from "./shape";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();

const fan = {
  darkroom: 1,
  name: "Fan",
  nodes: {
    one: { type: "Toy", version: 1, inputs: {} },
    two: { type: "Toy", version: 1, inputs: { a: { $link: ["one", "value"] } } },
    three: { type: "Toy", version: 1, inputs: { a: { $link: ["one", "value"] } } },
  },
  view: {
    nodes: { one: { x: 0, y: 0 }, two: { x: 400, y: 0 }, three: { x: 400, y: 200 } },
    groups: [{ id: "all", title: "Group", x: 380, y: -40, width: 400, height: 160 }],
    reroutes: [
      { id: "r1", node: "two", input: "a", x: 280, y: 40 },
      { id: "r2", node: "two", input: "a", x: 360, y: 40 },
    ],
  },
};

const wire = (to: string) => `wire:${to}\na\n0`;

/** What was given the focus, in order. */
let focused: (string | PortRef)[] = [];

function built() {
  const { workflow, path } = activeTab(editor());
  return new FlowBuilder().build({
    workflow,
    path,
    graph: activeGraph(editor()),
    catalogue: EMPTY_CATALOGUE,
    measures: measuresOf("comfortable", 1),
    selected: editor().selected,
    pictures: new Set(),
  });
}

const boxIn = (id: string) => {
  const item = built().items.find((each) => each.id === id);
  return item === undefined ? null : boxOf(item);
};

const board: Board = {
  editor,
  items: () => built().items,
  wires: () => built().wires,
  scale: () => 1,
  toFlow: (at) => at,
  toOverlay: (at) => at,
  zoom: () => 1,
  bounds: () => ({ x: 0, y: 0, width: 1000, height: 600 }),
  pan: () => undefined,
  draw: () => undefined,
  hueOf: () => "",
};

const openMenu = vi.fn();

const view: CanvasView = {
  pointer: () => null,
  toCanvas: (at) => at,
  toWindow: (at) => at,
  middle: () => ({ x: 0, y: 0 }),
  fit: () => undefined,
  zoomBy: () => undefined,
  focusItem: (id) => void focused.push(id),
  focusAdded: (id) => void focused.push(id),
  focusPort: (port) => void focused.push(port),
  focusWire: (id) => void focused.push(id),
  showItem: () => undefined,
  focusCanvas: () => undefined,
  hasFocus: () => true,
  openMenu,
  placeOf: boxIn,
  boxOf: boxIn,
  ports: () => [],
};

beforeEach(() => {
  focused = [];
  openMenu.mockClear();
  useEditor.setState({ ...start, view }, true);
  editor().openWorkflow(readWorkflow(JSON.stringify(fan)));
});
afterEach(cleanup);

/** Press keys while a thing on the canvas has the focus. */
function press(on: { item: string; port?: string }, ...keys: string[]) {
  const isWire = on.item.startsWith("wire:");
  const { container } = render(
    <div onKeyDown={(event) => onCanvasKey(event, board)}>
      <div className={isWire ? "react-flow__edge" : "react-flow__node"} data-id={on.item}>
        <div data-node-id={on.item}>
          {on.port !== undefined && <button type="button" data-port={on.port} />}
        </div>
      </div>
    </div>,
  );
  const element = container.querySelector("[data-port]") ?? container.querySelector("[data-id]");
  if (element === null) throw new Error("Nothing is there.");
  for (const key of keys)
    fireEvent.keyDown(element, {
      key: key.replace("Ctrl+", ""),
      ctrlKey: key.startsWith("Ctrl+"),
    });
}

test("an arrow goes from a port to its wire, on either side", () => {
  press({ item: "one", port: "out:value" }, "ArrowRight");
  press({ item: "three", port: "in:a" }, "ArrowLeft");
  expect(focused).toEqual([wire("two"), wire("three")]);
});

test("a port without a wire keeps the focus", () => {
  press({ item: "two", port: "out:value" }, "ArrowRight");
  expect(focused).toEqual([]);
});

test("arrows go along a wire over its bends, and to the wires beside it", () => {
  press({ item: wire("two") }, "ArrowLeft", "ArrowRight", "ArrowDown");
  press({ item: "reroute:r1" }, "ArrowRight", "ArrowLeft", "Enter");
  press({ item: "reroute:r2" }, "ArrowRight");
  expect(focused).toEqual([
    { node: "one", side: "out", name: "value" },
    "reroute:r1",
    wire("three"),
    "reroute:r2",
    { node: "one", side: "out", name: "value" },
    wire("two"),
    { node: "two", side: "in", name: "a" },
  ]);
});

test("Enter opens the menu of a wire, and Escape leaves to the node that it leads to", () => {
  press({ item: wire("two") }, "Enter", "Escape");
  expect(openMenu).toHaveBeenCalledOnce();
  expect(focused).toEqual(["two"]);
});

test("only a selected wire can have the focus, and it says where it leads", () => {
  editor().select([wire("two")]);
  const found = board.wires().map(({ focusable, ariaLabel }) => [focusable, ariaLabel]);
  expect(found).toEqual([
    [true, "Wire from Toy to Toy, a"],
    [undefined, undefined],
  ]);
});

test("a bend that keys add has the focus, in its order along the wire", () => {
  editor().addReroute(wire("two"), { x: 320, y: 40 });
  const bends = activeGraph(editor()).view?.reroutes?.map(({ id }) => id);
  expect(bends).toEqual(["r1", "reroute", "r2"]);
  expect(focused).toEqual(["reroute:reroute"]);
  expect([...editor().selected]).toEqual(["reroute:reroute"]);
  expect(editor().announcement.text).toBe("A bend is in the wire");
});

test("the menu of a wire is at its middle", () => {
  const ends = ["one", "three"].map((id) => boxIn(id));
  const at = middleOf(board, wire("three"));
  const [left, right] = ends.map((box) => box?.x ?? 0);
  expect(at?.x).toBeGreaterThan((left ?? 0) + (ends[0]?.width ?? 0));
  expect(at?.x).toBeLessThan(right ?? 0);
  expect(middleOf(board, wire("one"))).toBeNull();
});

test("a wire that is deleted gives the focus to the port where it ended", () => {
  editor().select([wire("three")]);
  editor().deleteSelection();
  expect(focused).toEqual([{ node: "three", side: "in", name: "a" }]);
});

test("a frame that keys move takes along what lies in it, in one step", () => {
  editor().select(["frame:all"]);
  press({ item: "frame:all" }, "Ctrl+ArrowRight");
  const graph = activeGraph(editor());
  expect(placeIn(graph, "frame:all")).toMatchObject({ x: 404 });
  expect(placeIn(graph, "two")).toEqual({ x: 424, y: 0 });
  expect(placeIn(graph, "three")).toEqual({ x: 400, y: 200 });
  editor().undo();
  expect(placeIn(activeGraph(editor()), "two")).toEqual({ x: 400, y: 0 });
});

test("keys size frames and notes, and never below what can be seen", () => {
  editor().addNote({ x: 0, y: 300 });
  editor().grow(16, 32);
  const note = () => activeGraph(editor()).view?.notes?.[0];
  expect(note()).toMatchObject({ x: 0, y: 300, width: 216, height: 128 });
  editor().grow(-500, -500);
  expect(note()).toMatchObject({ width: 96, height: 48 });
  editor().select(["frame:all", "two"]);
  editor().grow(0, 16);
  expect(activeGraph(editor()).view?.groups?.[0]).toMatchObject({ width: 400, height: 176 });
  expect(activeGraph(editor()).view?.nodes?.[nodeId("two")]?.height).toBeUndefined();
});
