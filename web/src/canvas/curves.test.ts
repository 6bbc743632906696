import { describe, expect, it } from "vitest";

import { crosses, flattened, meetsBox, pathThrough } from "./curves";

const from = { x: 0, y: 0 };
const to = { x: 200, y: 100 };

describe("the course of a wire", () => {
  it("leaves and arrives horizontally, past its bends", () => {
    expect(pathThrough([from, to], "curved")).toBe("M0,0C100,0 100,100 200,100");
    expect(pathThrough([from, { x: 50, y: 50 }, to], "straight")).toBe("M0,0L50,50L200,100");
    expect(pathThrough([from, to], "stepped")).toBe("M0,0H100V100H200");
  });

  it("goes round when the input lies to the left", () => {
    const line = flattened([to, from], "curved");
    expect(Math.max(...line.map(({ x }) => x))).toBeGreaterThan(to.x);
    expect(Math.min(...line.map(({ x }) => x))).toBeLessThan(from.x);
  });

  it("meets a node that lies on it and is cut by a stroke across it", () => {
    const line = flattened([from, to], "curved");
    expect(meetsBox(line, { x: 90, y: 40, width: 20, height: 20 })).toBe(true);
    expect(meetsBox(line, { x: 150, y: 0, width: 20, height: 20 })).toBe(false);
    expect(
      crosses(line, [
        { x: 100, y: 0 },
        { x: 100, y: 100 },
      ]),
    ).toBe(true);
    expect(
      crosses(line, [
        { x: 10, y: 50 },
        { x: 20, y: 90 },
      ]),
    ).toBe(false);
  });
});
