import { expect, test } from "vitest";

import { catalogue } from "../../../tests/graph";
import { nodeId, type NodeId } from "../ids";
import { readWorkflow } from "../read";
import { pin } from "./places";
import { align, arrange, distribute } from "./layout";

const workflow = readWorkflow(
  JSON.stringify({
    darkroom: 1,
    name: "Row",
    nodes: {
      a: { type: "Toy", version: 1, inputs: {} },
      b: { type: "Toy", version: 1, inputs: { from: { $link: ["a", "value"] } } },
      c: { type: "Toy", version: 1, inputs: { from: { $link: ["b", "value"] } } },
    },
    view: {
      nodes: { a: { x: 10, y: 0 }, b: { x: 70, y: 50 }, c: { x: 400, y: 20, pinned: true } },
    },
  }),
);
const sizes: Readonly<Record<string, number>> = { a: 100, b: 60, c: 100 };
const sizeOf = (id: NodeId) => ({ width: sizes[id] ?? 0, height: 40 });
const all = ["a", "b", "c"].map(nodeId);
const xs = (after: typeof workflow) => all.map((id) => after.view?.nodes?.[id]?.x);
const ys = (after: typeof workflow) => all.map((id) => after.view?.nodes?.[id]?.y);

const pair = all.slice(0, 2);

test("nodes are aligned by an edge, with their sizes counted", () => {
  expect(xs(align([], pair, "left", sizeOf).apply(workflow, catalogue))).toEqual([10, 10, 400]);
  const right = align([], pair, "right", sizeOf).apply(workflow, catalogue);
  expect(xs(right)).toEqual([30, 70, 400]);
  expect(ys(align([], pair, "bottom", sizeOf).apply(workflow, catalogue))).toEqual([50, 50, 20]);
});

test("nodes are distributed with the same gap between them", () => {
  const free = pin([], all, false).apply(workflow, catalogue);
  const after = distribute([], all, "across", sizeOf).apply(free, catalogue);
  const [a = 0, b = 0, c = 0] = xs(after);
  expect(b - (a + 100)).toBeCloseTo(c - (b + 60), 0);
  expect([a, c]).toEqual([10, 400]);
});

test("an arrangement puts what a node needs to its left, and leaves pinned ones", () => {
  const after = arrange([], sizeOf).apply(workflow, catalogue);
  const [a = 0, b = 0] = xs(after);
  expect(b).toBeGreaterThanOrEqual(a + 100);
  expect(after.view?.nodes?.["c"]).toEqual({ x: 400, y: 20, pinned: true });
});
