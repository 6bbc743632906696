import { expect, test } from "vitest";

import { evaluateFrom } from "./arithmetic";

test("a change starts from the value that is there", () => {
  expect(evaluateFrom(512, "+=64")).toBe(576);
  expect(evaluateFrom(512, "-= 64*2")).toBe(384);
  expect(evaluateFrom(-3, "*=2+1")).toBe(-9);
  expect(evaluateFrom(1e-7, "/=2")).toBe(5e-8);
});

test("anything else is a sum of its own", () => {
  expect(evaluateFrom(512, "2^10")).toBe(1024);
  expect(evaluateFrom(undefined, "3")).toBe(3);
});

test("a change needs a value and a sum", () => {
  expect(evaluateFrom(undefined, "+=1")).toBeNull();
  expect(evaluateFrom(5, "+=")).toBeNull();
  expect(evaluateFrom(5, "+=1)+(2")).toBeNull();
  expect(evaluateFrom(5, "/=0")).toBeNull();
});
