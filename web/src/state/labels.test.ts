import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { commands } from "../words/commands";
import { sayCommand } from "./labels";

const SOURCE = resolve(import.meta.dirname, "..");
const NAMES =
  /(?:together|flag|edit|edited|without|moving)\(\s*"([a-z_]+)"|name: "([a-z]+_[a-z_]+)"/g;

test("every command of the source has words for undo", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.tsx?$/.test(name) && !/\.test\.|\.gen\.|settings\.ts/.test(name),
  );
  const names = files.flatMap((file) =>
    [...readFileSync(join(SOURCE, file), "utf8").matchAll(NAMES)].map(([, a, b]) => a ?? b ?? ""),
  );
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => !Object.hasOwn(commands, `command.${name}`))).toEqual([]);
});

test("a command without words is said in plain letters", () => {
  expect(sayCommand("paint_mask")).toBe("painting a mask");
  expect(sayCommand("not_in_the_table")).toBe("not in the table");
});
