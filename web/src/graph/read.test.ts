import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readJson } from "./json";
import { DocumentError, printWorkflow, readWorkflow, workflowFrom } from "./read";

const folder = new URL("../../../workflows/", import.meta.url);
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (name) => !name.startsWith("starter") && name.endsWith(".json"),
);

describe("the workflows that ship", () => {
  test.each(files)("%s is saved byte for byte as it was read", (name) => {
    const text = readFileSync(new URL(name, folder), "utf8");
    expect(printWorkflow(readWorkflow(text))).toBe(text);
  });
});

test("a document of any order is saved in the server's", () => {
  const text = `{"nodes": {"b": {"inputs": {"x": {"$range": {"to": 9, "from": 1, "step": 1.0}}},
    "mine": 1, "mode": "mute", "type": "B"}, "7": {"type": "A", "mode": "normal"}}, "else": 2, "darkroom": 1}`;
  expect(printWorkflow(readWorkflow(text))).toBe(`{
  "darkroom": 1,
  "name": "",
  "inputs": {},
  "outputs": {},
  "nodes": {
    "b": {
      "type": "B",
      "version": 1,
      "mode": "mute",
      "inputs": {
        "x": {
          "$range": {
            "from": 1,
            "to": 9
          }
        }
      },
      "mine": 1
    },
    "7": {
      "type": "A",
      "version": 1,
      "inputs": {}
    }
  },
  "else": 2
}
`);
});

test.each([
  ["[]", "not_a_workflow"],
  ['{"nodes": {}}', "not_a_workflow"],
  ['{"darkroom": 2}', "newer_format"],
  ['{"darkroom": 1, "nodes": []}', "not_a_table"],
  ['{"darkroom": 1, "name": 3}', "not_a_text"],
  ['{"darkroom": 1, "nodes": {"a": {}}}', "no_type"],
  ['{"darkroom": 1, "nodes": {"a": {"type": "A", "version": 0}}}', "bad_version"],
  ['{"darkroom": 1, "nodes": {"a": {"type": "A", "mode": "off"}}}', "bad_mode"],
  ['{"darkroom": 1, "inputs": {"a": {"node": "b"}}}', "bad_end"],
  [
    '{"darkroom": 1, "nodes": {"a": {"type": "A", "inputs": {"x": {"$link": ["b"]}}}}}',
    "bad_value",
  ],
  [
    '{"darkroom": 1, "nodes": {"a": {"type": "A", "inputs": {"x": [{"$axis": [1]}]}}}}',
    "bad_value",
  ],
])("%s is no workflow: %s", (text, code) => {
  expect(() => workflowFrom(readJson(text))).toThrow(DocumentError);
  try {
    readWorkflow(text);
  } catch (error) {
    expect(error instanceof DocumentError && error.faults.map((fault) => fault.code)).toEqual([
      code,
    ]);
  }
});
