import { expect, it } from "vitest";

import { pulled, within, type Rect } from "./frames";

const rect: Rect = { x: 40, y: 40, width: 80, height: 64 };

it("moves both sides of a corner, and leaves the other corner where it is", () => {
  expect(pulled(rect, "top-left", -8, 16)).toEqual({ x: 32, y: 56, width: 88, height: 48 });
  expect(pulled(rect, "bottom-right", 16, -8)).toEqual({ ...rect, width: 96, height: 56 });
  expect(pulled(rect, "top-right", 8, 8)).toEqual({ x: 40, y: 48, width: 88, height: 56 });
  expect(pulled(rect, "bottom-left", 8, 8)).toEqual({ x: 48, y: 40, width: 72, height: 72 });
});

it("never turns inside out", () => {
  expect(pulled(rect, "top-left", 900, 900)).toEqual({ x: 112, y: 96, width: 8, height: 8 });
});

it("spans a new one in any direction, on the grid and on the picture", () => {
  const drawn = pulled({ x: 100, y: 90, width: 0, height: 0 }, "new", -70, -130);
  expect(drawn).toEqual({ x: 30, y: -40, width: 70, height: 130 });
  expect(within(drawn, 128, 128)).toEqual({ x: 32, y: 0, width: 72, height: 128 });
});
