import { expect, test } from "vitest";
import { catalogue } from "../../tests/graph";
import { addNode } from "./commands/nodes";
import { setInput } from "./commands/inputs";
import { moveNodes } from "./commands/places";
import { arrange } from "./commands/layout";
import { emptyWorkflow, type Workflow } from "./document";
import { nodeIds } from "./graphs";
import { nodeId, typeName } from "./ids";
import { EMPTY_LOG, logFrom, logSize, logText, MAX_SIZE, record, redo, sealed, undo } from "./log";
import { printWorkflow } from "./read";

const TYPE = typeName("Add");
const A = nodeId("add");

function many(count: number): Workflow {
  let workflow = emptyWorkflow("many");
  for (let index = 0; index < count; index += 1) {
    workflow = addNode([], { type: TYPE, x: index * 10, y: 0 }).apply(workflow, catalogue);
  }
  return workflow;
}

test("typing in a field is one step, until the field is left", () => {
  const start = many(1);
  let [log, workflow] = [EMPTY_LOG, start];
  for (const value of [1, 12, 123]) {
    const command = setInput([], A, "a", value);
    const next = command.apply(workflow, catalogue);
    log = record(log, command.name, workflow, next, { merge: command.merge });
    workflow = next;
  }
  expect(log.done).toHaveLength(1);
  const command = setInput([], A, "a", 5);
  const next = command.apply(workflow, catalogue);
  log = record(sealed(log), command.name, workflow, next, { merge: command.merge });
  expect(log.done).toHaveLength(2);
  const back = undo(log, next);
  expect(back?.workflow.nodes["add"]?.inputs["a"]).toMatchObject({ value: 123 });
  expect(back && undo(back.log, back.workflow)?.workflow).toEqual(start);
});

test("what is typed and taken back again is no step; a new step ends redoing", () => {
  const start = many(1);
  const command = setInput([], A, "a", 1);
  const next = command.apply(start, catalogue);
  const log = record(EMPTY_LOG, "set_input", start, next, { merge: "x" });
  expect(record(log, "set_input", next, start, { merge: "x" }).done).toEqual([]);
  const back = undo(log, next);
  expect(back && redo(back.log, back.workflow)?.workflow).toEqual(next);
  expect(back && record(back.log, "other", start, many(2)).undone).toEqual([]);
});

test("1,000 steps on 500 nodes take at most 5 MB, and all of them can be undone", () => {
  const start = many(500);
  const ids = nodeIds(start);
  let [log, workflow] = [EMPTY_LOG, start];
  for (let step = 0; step < 1000; step += 1) {
    const moved = ids
      .slice(step % 480, (step % 480) + 20)
      .map((id): [typeof id, { x: number; y: number }] => [id, { x: step + 0.5, y: step * 1.25 }]);
    const next = moveNodes([], new Map(moved)).apply(workflow, catalogue);
    log = record(log, "move_nodes", workflow, next);
    workflow = next;
  }
  expect(log.done).toHaveLength(1000);
  expect(logText(log).length).toBeLessThanOrEqual(MAX_SIZE);
  log = logFrom(logText(log));
  for (let back = undo(log, workflow); back !== null; back = undo(log, workflow)) {
    ({ log, workflow } = back);
  }
  expect(printWorkflow(workflow)).toBe(printWorkflow(start));
}, 60_000);

test("steps that are larger push the oldest out", () => {
  let [log, workflow] = [EMPTY_LOG, many(500)];
  for (let step = 0; step < 80; step += 1) {
    const size = () => ({ width: 100 + step, height: 50 + step });
    const next = arrange([], size).apply(workflow, catalogue);
    log = record(log, "arrange", workflow, next);
    workflow = next;
  }
  expect(logSize(log)).toBeLessThanOrEqual(MAX_SIZE);
  expect(log.done.length).toBeGreaterThan(30);
}, 60_000);

test("a broken log is an empty one", () => {
  expect(logFrom("{")).toEqual(EMPTY_LOG);
  expect(logFrom('{"done": [1, {"label": 2}]}')).toEqual(EMPTY_LOG);
});
