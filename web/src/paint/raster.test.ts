import { describe, expect, it } from "vitest";

import { Steps } from "./layers";
import {
  coverage,
  emptyMask,
  feather,
  fill,
  invert,
  lasso,
  stroke,
  wholeOf,
  type Brush,
  type Mask,
} from "./raster";

const hard: Brush = { radius: 1, hardness: 1, strength: 1, isEraser: false };

const rows = ({ width, height, data }: Mask): string[] =>
  Array.from({ length: height }, (_, y) =>
    [...data.subarray(y * width, (y + 1) * width)]
      .map((value) => (value >= 128 ? "#" : "."))
      .join(""),
  );

const drawn = (...lines: string[]): Mask => {
  const mask = emptyMask(lines[0]?.length ?? 0, lines.length);
  mask.data.set(Array.from(lines.join(""), (mark) => (mark === "#" ? 255 : 0)));
  return mask;
};

describe("a stroke", () => {
  it("paints along its whole length, however far its ends are apart", () => {
    const mask = emptyMask(8, 3);
    stroke(mask, { x: 1.5, y: 1.5 }, { x: 6.5, y: 1.5 }, { ...hard, radius: 0.75 });
    expect(rows(mask)).toEqual(["........", ".######.", "........"]);
  });

  it("fades out from the hard part to the radius", () => {
    const soft = { ...hard, radius: 10, hardness: 0.5 };
    expect(coverage(5, soft)).toBe(1);
    expect(coverage(7.5, soft)).toBe(0.5);
    expect(coverage(10, soft)).toBe(0);
  });

  it("does not get harder where it goes twice, and an eraser takes away", () => {
    const mask = emptyMask(9, 9);
    const soft = { ...hard, radius: 4, hardness: 0 };
    const middle = { x: 4.5, y: 4.5 };
    stroke(mask, middle, middle, soft);
    const once = mask.data.slice();
    stroke(mask, middle, middle, soft);
    expect(mask.data).toEqual(once);
    stroke(mask, middle, middle, { ...hard, radius: 9, isEraser: true });
    expect(mask.data.every((value) => value === 0)).toBe(true);
  });

  it("may leave the picture", () => {
    const mask = emptyMask(3, 3);
    expect(stroke(mask, { x: -9, y: -9 }, { x: -8, y: -9 }, hard)).toMatchObject({ right: 0 });
    stroke(mask, { x: -1, y: 1.5 }, { x: 9, y: 1.5 }, { ...hard, radius: 0.75 });
    expect(rows(mask)).toEqual(["...", "###", "..."]);
  });
});

describe("filling", () => {
  it("stops at the edge of the mask, also around corners", () => {
    const mask = drawn("######", "#.#..#", "#.##.#", "#....#", "######");
    fill(mask, { x: 1.5, y: 1.5 }, false);
    expect(rows(mask)).toEqual(["######", "######", "######", "######", "######"]);
    const closed = drawn("###..", "#.#..", "###..");
    expect(fill(closed, { x: 1, y: 1 }, false)).toEqual({ left: 1, top: 1, right: 2, bottom: 2 });
    expect(rows(closed)).toEqual(["###..", "###..", "###.."]);
  });

  it("takes a painted area away with the eraser", () => {
    const mask = drawn("##.#", "##.#");
    fill(mask, { x: 0, y: 0 }, true);
    expect(rows(mask)).toEqual(["...#", "...#"]);
  });
});

describe("a lasso", () => {
  it("fills the pixels whose middles it encloses", () => {
    const mask = emptyMask(6, 5);
    lasso(
      mask,
      [
        { x: 1, y: 1 },
        { x: 5, y: 1 },
        { x: 5, y: 4 },
        { x: 1, y: 4 },
      ],
      false,
    );
    expect(rows(mask)).toEqual(["......", ".####.", ".####.", ".####.", "......"]);
  });

  it("leaves out what it goes around twice", () => {
    const mask = emptyMask(6, 6);
    const square = (least: number, most: number) => [
      { x: least, y: least },
      { x: most, y: least },
      { x: most, y: most },
      { x: least, y: most },
      { x: least, y: least },
    ];
    lasso(mask, [...square(0, 6), ...square(2, 4)], false);
    expect(rows(mask)).toEqual(["######", "######", "##..##", "##..##", "######", "######"]);
  });
});

describe("feathering", () => {
  it("keeps what is even, and the sum of what lies within", () => {
    const full = emptyMask(9, 9);
    invert(full);
    feather(full, 4);
    expect(full.data.every((value) => value === 255)).toBe(true);
    const mask = emptyMask(41, 41);
    lasso(
      mask,
      [
        { x: 15, y: 15 },
        { x: 26, y: 15 },
        { x: 26, y: 26 },
        { x: 15, y: 26 },
      ],
      false,
    );
    const sum = (data: Uint8Array) => data.reduce((a, b) => a + b, 0);
    const before = sum(mask.data);
    feather(mask, 6);
    expect(Math.abs(sum(mask.data) / before - 1)).toBeLessThan(0.01);
  });

  it("makes a straight edge a Gaussian's, half at the edge itself", () => {
    const mask = emptyMask(80, 5);
    lasso(
      mask,
      [
        { x: 40, y: 0 },
        { x: 80, y: 0 },
        { x: 80, y: 5 },
        { x: 40, y: 5 },
      ],
      false,
    );
    feather(mask, 10);
    const [before = 0, after = 0] = [mask.data[39], mask.data[40]];
    expect((before + after) / 2).toBeCloseTo(127.5, 0);
    // One standard deviation of 5 pixels out: 15.9 % of a Gaussian lies beyond.
    expect(((mask.data[34] ?? 0) + (mask.data[35] ?? 0)) / 2 / 255).toBeCloseTo(0.159, 1);
  });
});

describe("the steps of a mask", () => {
  it("go back to the start and to the end again", () => {
    const mask = emptyMask(16, 16);
    const steps = new Steps(mask);
    const states = [mask.data.slice()];
    for (const x of [3, 8, 12]) {
      steps.record(stroke(mask, { x, y: 3 }, { x, y: 12 }, { ...hard, radius: 2 }));
      states.push(mask.data.slice());
    }
    steps.record(feather(mask, 3));
    states.push(mask.data.slice());
    for (const state of states.toReversed().slice(1)) {
      steps.undo();
      expect(mask.data).toEqual(state);
    }
    expect(steps.undo()).toBeNull();
    for (const state of states.slice(1)) {
      steps.redo();
      expect(mask.data).toEqual(state);
    }
  });

  it("are none where nothing changed", () => {
    const mask = emptyMask(4, 4);
    expect(new Steps(mask).record(wholeOf(mask))).toBe(false);
  });
});
