import { describe, expect, it } from "vitest";

import type { ServerEvent } from "../api/socket";
import type { Graph, Workflow } from "../graph/document";
import { graphName, typeName } from "../graph/ids";
import { aJob } from "../../tests/state/fake";
import { addressOf, ended, happened, newRun, recorded } from "./run";

const inner: Graph = {
  inputs: {},
  outputs: {},
  nodes: { "3": { type: typeName("Toy"), version: 1, inputs: {} } },
};
const outer: Workflow = {
  darkroom: 1,
  name: "w",
  inputs: {},
  outputs: {},
  subgraphs: { picture: inner },
  nodes: {
    each: { type: typeName("Map"), version: 1, inputs: {}, graph: graphName("picture") },
    day: { type: typeName("Subgraph"), version: 1, inputs: {}, graph: graphName("picture") },
  },
};

let last = 0;
const event = (type: string, data: object): ServerEvent =>
  ({ id: (last += 1), type, job: "j", time: 0, data }) as ServerEvent;

describe("a place of a run", () => {
  it("leads to its node without laps and cells", () => {
    expect(addressOf("each/0/3", outer)).toBe("each/3");
    expect(addressOf("day/3", outer)).toBe("day/3");
    expect(addressOf("sampler[seed=3,steps=1]", outer)).toBe("sampler");
    expect(addressOf("each/12/3[a=1]", outer)).toBe("each/3");
  });
});

describe("a run", () => {
  it("shows a node that stands for a graph at work while one in it is", () => {
    let run = happened(newRun("j"), event("node.started", { node: "each/0/3" }), outer);
    run = happened(run, event("node.progressed", { node: "each/0/3", done: 1, total: 2 }), outer);
    expect(run.nodes.get("each")).toMatchObject({ state: "running", done: 1, total: 2 });
    run = happened(
      run,
      event("node.finished", { node: "each/0/3", state: "ran", seconds: 1 }),
      outer,
    );
    expect(ended(run, true).nodes.get("each")?.state).toBe("done");
  });

  it("counts no event twice", () => {
    const told = event("node.finished", { node: "a", state: "ran", seconds: 2 });
    const once = happened(newRun("j"), told, outer);
    expect(happened(once, told, outer)).toBe(once);
    expect(once.nodes.get("a")?.seconds).toBe(2);
  });

  it("is computed if one cell was, however many were stored", () => {
    let run = happened(
      newRun("j"),
      event("node.finished", { node: "a[x=1]", state: "ran", seconds: 2 }),
      outer,
    );
    run = happened(
      run,
      event("node.finished", { node: "a[x=2]", state: "stored", seconds: 0 }),
      outer,
    );
    expect(run.nodes.get("a")?.state).toBe("done");
  });

  it("is rebuilt from what the server kept", () => {
    const problem = { code: "bad", message: "no", node: "b" };
    const error = { type: "", title: "", status: 500, detail: "", code: "", problems: [problem] };
    const records = [
      { node: "a", type: "Toy", state: "stored", seconds: 0, bytes: 0 },
      { node: "b", type: "Toy", state: "failed", seconds: 0, bytes: 0 },
      { node: "c", type: "Toy", state: "skipped", seconds: 0, bytes: 0 },
    ];
    const run = recorded(aJob("j", { state: "failed", error }), records, outer);
    expect([...run.nodes].map(([id, step]) => [id, step.state])).toEqual([
      ["a", "cached"],
      ["b", "error"],
    ]);
    expect(run.nodes.get("b")?.problem).toMatchObject(problem);
  });
});
