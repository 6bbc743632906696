import { expect, it } from "vitest";

import { workflow } from "../../tests/state/fake";
import { nodeId } from "../graph/ids";
import { link } from "../graph/values";
import { changes, shortly, wordChanges } from "./changes";

it("names what changed by node and input, and not where nodes stand", () => {
  const before = workflow({ a: { seed: 1, text: "x" }, b: {} });
  const moved = { ...before, view: { nodes: { a: { x: 9, y: 9 } } } };
  expect(changes(before, moved)).toEqual([]);
  const after = workflow({ a: { seed: 2, text: "x" }, c: {} });
  expect(changes(before, after).map(({ kind, node, input }) => [kind, node, input])).toEqual([
    ["changed", "a", "seed"],
    ["removed", "b", ""],
    ["added", "c", ""],
  ]);
});

it("says a value shortly, also numbers that JavaScript cannot hold", () => {
  expect(shortly(link(nodeId("sampler"), "value"))).toBe("← sampler");
  expect(shortly({ $axis: [3, "b"] })).toBe("3, b");
  expect(shortly({ $axis: { $range: { from: 1, to: 4 } } })).toBe("1–4");
  expect(shortly([2n ** 60n])).toBe("[1152921504606846976]");
  expect(shortly("a very long prompt of many words")).toBe("a very long prompt of m…");
});

it("finds the words by which two prompts differ", () => {
  expect(wordChanges("a red house in winter", "a blue tall house in winter")).toEqual({
    gone: "red",
    come: "blue tall",
  });
});
