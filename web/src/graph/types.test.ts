import { expect, test } from "vitest";
import { accepts, type Bindings, readType, typeText } from "./types";

test.each([
  ["float", "int", true],
  ["int", "float", false],
  ["int", "bool", false],
  ["bool", "int", false],
  ["str", "'a' | 'b'", true],
  ["'a' | 'b'", "str", true],
  ["'a' | 'b'", "'a'", true],
  ["'a'", "'a' | 'c'", false],
  ["Mask | nothing", "Mask", true],
  ["Mask", "Mask | nothing", false],
  ["list[Image]", "Image", false],
  ["list[float]", "list[int]", true],
  ["list[Image]", "Grid[Image]", true],
  ["Grid[Image]", "Image", true],
  ["Grid[Image]", "list[Image]", true],
  ["Grid[Image]", "list[Mask]", false],
  ["anything", "Image", true],
  ["dict[str, str | bool]", "dict[str, str]", true],
  ["Base", "Child", true],
  ["Child", "Base", false],
  ["object", "Image", true],
])("%s takes %s: %s", (wanted, given, answer) => {
  const kinds = new Map([
    ["Child", ["Base"]],
    ["Base", []],
  ]);
  expect(accepts(readType(wanted), readType(given), kinds)).toBe(answer);
});

test("a variable takes the first type that it meets", () => {
  const variable = readType("T", ["T"]);
  const bindings: Bindings = new Map();
  expect(accepts(variable, readType("Image"), new Map(), bindings)).toBe(true);
  expect(accepts(variable, readType("Mask"), new Map(), bindings)).toBe(false);
});

test.each(["list[Image]", "dict[str, anything]", "Mask | nothing", '"a" | "b"', "Grid[list[int]]"])(
  "%s is shown as it was read",
  (text) => {
    expect(typeText(readType(text))).toBe(text);
  },
);
