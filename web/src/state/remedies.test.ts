import { describe, expect, test } from "vitest";

import { catalogue, shipped } from "../../tests/graph";
import { clearInput, setInput } from "../graph/commands/inputs";
import type { Value, Workflow } from "../graph/document";
import { nodeId } from "../graph/ids";
import { link } from "../graph/values";
import type { Problem } from "./problems";
import { remedyOf } from "./remedies";

const sampler = nodeId("sampler");
const start = shipped("text-to-image");

const problem = (code: string, input: string, hint: string, node = "sampler"): Problem => ({
  code,
  message: "",
  node,
  input,
  hint,
  source: "check",
});

const without = (input: string): Workflow => clearInput([], sampler, input).apply(start, catalogue);
const withValue = (input: string, value: Value): Workflow =>
  setInput([], sampler, input, value).apply(start, catalogue);

/** What a remedy makes of an input; undefined if there is none. */
function mended(workflow: Workflow, found: Problem, input = found.input ?? "") {
  const remedy = remedyOf(workflow, catalogue, found);
  if (remedy === null) return undefined;
  const value = remedy.command.apply(workflow, catalogue).nodes[found.node ?? ""]?.inputs[input];
  return { kind: remedy.kind, value };
}

describe("a remedy", () => {
  test("is a value where the field takes it", () => {
    expect(mended(withValue("steps", 0), problem("out_of_range", "steps", "1"))).toEqual({
      kind: "use",
      value: 1,
    });
    const named = problem("missing_file", "checkpoint", "1.safetensors", "checkpoint");
    expect(mended(start, named)).toEqual({ kind: "use", value: "1.safetensors" });
  });

  test("is a wire where an output is meant", () => {
    const lacks = problem("missing_input", "model", "checkpoint.model");
    expect(mended(without("model"), lacks)).toEqual({
      kind: "connect",
      value: link(nodeId("checkpoint"), "model"),
    });
    const broken = withValue("model", link(nodeId("checkpoin"), "model"));
    expect(mended(broken, problem("unknown_link", "model", "checkpoint"))).toEqual({
      kind: "connect",
      value: link(nodeId("checkpoint"), "model"),
    });
  });

  test("gives the value of an unknown input to the one that is meant", () => {
    const odd = {
      ...start,
      nodes: {
        ...start.nodes,
        sampler: {
          ...without("steps").nodes[sampler],
          inputs: { ...without("steps").nodes[sampler]?.inputs, stepps: 7 },
        },
      },
    } as Workflow;
    expect(mended(odd, problem("unknown_input", "stepps", "steps"), "steps")).toEqual({
      kind: "rename",
      value: 7,
    });
  });
});

describe("nothing is offered", () => {
  test.each([
    ["words for a link", start, problem("size_mismatch", "latents", "512x512")],
    [
      "a wire that does not fit",
      without("model"),
      problem("missing_input", "model", "decode.value"),
    ],
    [
      "a value that the field refuses",
      start,
      problem("too_little_memory", "steps", "a batch of 1"),
    ],
    ["part of a text", start, problem("bad_value", "text", "red", "positive")],
    [
      "a value where a wire is",
      withValue("steps", link(nodeId("count"), "value")),
      problem("out_of_range", "steps", "1"),
    ],
    [
      "a value where a sweep is",
      withValue("steps", { $axis: [1, 0] }),
      problem("out_of_range", "steps", "1"),
    ],
    ["a node that is gone", start, problem("out_of_range", "steps", "1", "gone")],
  ])("for %s", (_, workflow, found) => {
    expect(remedyOf(workflow, catalogue, found)).toBeNull();
  });
});
