import { expect, test } from "vitest";

import { aJob, workflow } from "../../tests/state/fake";
import { changes } from "../state/changes";
import { befores, differenceOf, ownOf } from "./difference";

test("a run is compared with the one before it of the same name", () => {
  const jobs = [
    aJob("job1"),
    aJob("job2", { name: "Other" }),
    aJob("job3"),
    aJob("job5", { name: "Other" }),
  ];
  const found = befores(Object.fromEntries(jobs.toReversed().map((job) => [job.id, job])));
  expect([...found]).toEqual([
    ["job3", "job1"],
    ["job5", "job2"],
  ]);
});

test("the caption says what is new, once both documents are known", () => {
  const [old, now] = [workflow({ a: { seed: 1 } }), workflow({ a: { seed: 2 } })];
  expect(differenceOf(undefined, now, true)).toBe("first run");
  expect(differenceOf(undefined, now, false)).toBe("");
  expect(differenceOf(old, undefined, false)).toBe("");
  expect(differenceOf(old, now, false)).toContain("1 → 2");
});

test("each side of a comparison says what is its own", () => {
  const left = workflow({ a: { seed: 1, steps: 20, cfg: 7, text: "same" } });
  const right = workflow({ a: { seed: 2, steps: 30, cfg: 8, text: "same" }, b: {} });
  const found = changes(left, right);
  expect(ownOf(found, "left")).toEqual(["seed 1", "steps 20", "+1"]);
  expect(ownOf(found, "right")).toEqual(["seed 2", "steps 30", "+2"]);
  expect(ownOf([], "left")).toEqual([]);
});
