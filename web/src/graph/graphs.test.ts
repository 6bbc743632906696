import { expect, test } from "vitest";

import { graphName } from "./ids";
import { trailTo } from "./graphs";
import { readWorkflow } from "./read";

const inner = (nodes: object, subgraphs: object = {}) => ({
  inputs: {},
  outputs: {},
  nodes,
  subgraphs,
});
const standsFor = (graph: string) => ({ type: "Subgraph", version: 1, graph, inputs: {} });

const workflow = readWorkflow(
  JSON.stringify({
    darkroom: 1,
    name: "Nested",
    nodes: { first: standsFor("outer"), second: standsFor("outer") },
    subgraphs: {
      outer: inner({ within: standsFor("deep") }, { deep: inner({}) }),
      shared: inner({}),
      unused: inner({}),
    },
  }),
);
const path = (...names: string[]) => names.map(graphName);

test("the way into a graph leads through the nodes that stand for it", () => {
  expect(trailTo(workflow, [])).toEqual([]);
  expect(trailTo(workflow, path("outer"))).toEqual(["first"]);
  expect(trailTo(workflow, path("outer", "deep"))).toEqual(["first", "within"]);
});

test("no node leads to a graph that none stands for", () => {
  expect(trailTo(workflow, path("unused"))).toBeNull();
});
