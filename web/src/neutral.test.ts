import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { catalogue } from "../tests/graph";
import { standsForGraph } from "./graph/ports";

const SOURCE = import.meta.dirname;

/** The editor's own code: neither tests, nor what is written by a program, nor what people read. */
const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.tsx?$/.test(name) && !/\.test\.|\.gen\.|^words/.test(name),
);

test("no node type is named anywhere: what is drawn comes from schemas alone", () => {
  const types = [...catalogue.types.keys()].filter((type) => !standsForGraph(type));
  expect(types.length).toBeGreaterThan(50);
  const named = files.flatMap((name) => {
    const text = readFileSync(join(SOURCE, name), "utf8");
    const words = new Set(text.match(/(?<=["'`])[A-Za-z]\w*(?=["'`])/g));
    return types.filter((type) => words.has(type)).map((type) => `${name}: ${type}`);
  });
  expect(named).toEqual([]);
});
