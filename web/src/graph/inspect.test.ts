import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalogue, shipped } from "../../tests/graph";
import { differ } from "./differ";
import { find } from "./find";
import { nodeId } from "./ids";
import { inspect } from "./inspect";
import { readWorkflow } from "./read";
import { setInput } from "./commands/inputs";

const folder = new URL("../../../workflows/", import.meta.url);
const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap(
  (name) => /^(?!starter)(.*)\.json$/.exec(name)?.[1] ?? [],
);

test.each(names)("the workflow %s has no problems", (name) => {
  expect(inspect(shipped(name), catalogue)).toEqual([]);
});

describe("problems", () => {
  test.each([
    ['"a": {"type": "Nowhere"}', "unknown_type", undefined],
    ['"a": {"type": "Subgraph", "graph": "none"}', "unknown_graph", undefined],
    [
      '"a": {"type": "VAEDecode", "inputs": {"vae": 3, "latents": {"$link": ["b", "value"]}}}, "b": {"type": "EmptyLatent"}',
      "needs_link",
      "vae",
    ],
    ['"a": {"type": "InvertImage"}', "missing_input", "image"],
    ['"a": {"type": "EmptyLatent", "inputs": {"width": 8}}', "too_small", "width"],
    ['"a": {"type": "EmptyLatent", "inputs": {"width": 20}}', "not_multiple", "width"],
    ['"a": {"type": "EmptyLatent", "inputs": {"width": 64.0}}', "not_integer", "width"],
    ['"a": {"type": "EmptyLatent", "inputs": {"depth": 3}}', "unknown_input", "depth"],
    ['"a": {"type": "Add", "inputs": {"a": "x"}}', "not_number", "a"],
    ['"a": {"type": "Add", "inputs": {"a": {"$link": ["b", "value"]}}}', "unknown_link", "a"],
    ['"a": {"type": "Add", "inputs": {"a": {"$link": ["a", "value"]}}}', "cycle", "a"],
    [
      '"a": {"type": "Add", "inputs": {"a": {"$link": ["b", "value"]}}}, "b": {"type": "EmptyLatent"}',
      "wrong_link",
      "a",
    ],
    ['"a": {"type": "Add", "inputs": {"a": {"$axis": [1.0, "x"]}}}', "not_number", "a"],
    [
      '"a": {"type": "SaveTable", "inputs": {"values": [1], "to": {"kind": "xml"}}}',
      "not_choice",
      "to",
    ],
  ])("%s: %s", (nodes, code, name) => {
    const found = inspect(readWorkflow(`{"darkroom": 1, "nodes": {${nodes}}}`), catalogue);
    expect(found).toContainEqual(expect.objectContaining({ code, name, node: "a" }));
  });

  test("a seed may be as large as the schema says, and no larger", () => {
    const check = (seed: bigint) =>
      inspect(
        setInput([], nodeId("sampler"), "seed", seed).apply(shipped("text-to-image"), catalogue),
        catalogue,
      );
    expect(check(2n ** 64n - 1n)).toEqual([]);
    expect(check(2n ** 64n).map(({ code }) => code)).toEqual(["too_large"]);
  });
});

test("two workflows differ in the value that was set, and in nothing else", () => {
  const before = shipped("text-to-image");
  const after = setInput([], nodeId("sampler"), "seed", 99).apply(before, catalogue);
  expect(differ(before, before)).toEqual([]);
  expect(differ(before, after)).toEqual([
    expect.objectContaining({ kind: "value", node: "sampler", name: "seed", after: 99 }),
  ]);
  expect(differ(before, { ...after, nodes: {} }).every(({ kind }) => kind === "node_removed")).toBe(
    true,
  );
});

test("nodes are found by id, type and value, in subgraphs too", () => {
  const workflow = shipped("subgraphs");
  expect(find(workflow, "winter")).toMatchObject([
    { node: "night", where: "value", input: "prompt" },
  ]);
  expect(find(workflow, "vaedec").map(({ path }) => path)).toEqual([["picture"]]);
  expect(find(workflow, " ")).toEqual([]);
});
