import { expect, test } from "vitest";

import { readJson } from "./json";
import { printWorkflow, readWorkflow } from "./read";
import { soundView, unreadIn } from "./sound";

const read = (view: string) =>
  readWorkflow(`{"darkroom": 1, "nodes": {"a": {"type": "A"}}, "view": ${view}}`);

test.each([
  ['{"notes": [{"id": "a"}]}', { notes: [] }],
  ['{"groups": {}}', {}],
  [
    '{"groups": [3, {"id": "g", "title": {}, "x": 0, "y": 0, "width": 1, "height": 1}]}',
    { groups: [] },
  ],
  ['{"reroutes": [{"id": "r", "node": "a", "input": "b", "x": "left", "y": 0}]}', { reroutes: [] }],
  ['{"nodes": {"a": {"title": {"en": "A"}, "x": 4}}}', { nodes: { a: { x: 4 } } }],
  ['{"nodes": {"a": 3}}', { nodes: {} }],
  ['{"nodes": []}', {}],
  ["[]", {}],
])("what is broken in the view %s is put aside", (text, sound) => {
  const { unread, ...rest } = soundView(readJson(text));
  expect(rest).toEqual(sound);
  expect(Array.isArray(unread) && unread.length).toBeGreaterThan(0);
});

test("what is put aside stays in the file, and is counted", () => {
  const workflow = read('{"notes": [{"id": "a"}], "own": 1}');
  expect(unreadIn(workflow)).toBe(1);
  const text = printWorkflow(workflow);
  expect(readJson(text)).toMatchObject({
    view: { notes: [], own: 1, unread: [{ in: "notes", value: { id: "a" } }] },
  });
  expect(printWorkflow(readWorkflow(text))).toBe(text);
});

test("a sound view stays the same", () => {
  const note = '{"id": "n", "text": "", "x": 1, "y": 2.0, "width": 3, "height": 4}';
  const view = readJson(`{"notes": [${note}], "nodes": {"a": {"x": 1, "wiresHidden": true}}}`);
  expect(soundView(view)).toBe(view);
});
