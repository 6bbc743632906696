import { expect, test } from "vitest";

import { driftAt } from "./drift";

const canvas = { x: 100, y: 50, width: 800, height: 600 };

test("the view rests while the pointer is within the canvas", () => {
  expect(driftAt(canvas, { x: 500, y: 300 })).toEqual({ x: 0, y: 0 });
  expect(driftAt(canvas, { x: 145, y: 95 })).toEqual({ x: 0, y: 0 });
});

test("near an edge the view moves away from it, the faster the nearer", () => {
  const near = driftAt(canvas, { x: 880, y: 300 });
  const nearer = driftAt(canvas, { x: 898, y: 300 });
  expect(near.x).toBeLessThan(0);
  expect(nearer.x).toBeLessThan(near.x);
  expect(driftAt(canvas, { x: 101, y: 300 }).x).toBeGreaterThan(0);
  expect(driftAt(canvas, { x: 500, y: 649 }).y).toBeLessThan(0);
});

test("far outside it is no faster than at the edge", () => {
  expect(driftAt(canvas, { x: 5000, y: 300 })).toEqual(driftAt(canvas, { x: 900, y: 300 }));
});
