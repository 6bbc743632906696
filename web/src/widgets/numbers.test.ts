import { describe, expect, it } from "vitest";

import { fitted, hasBar, scaleOf, stepped, written } from "./numbers";

const steps = scaleOf({ minimum: 1, maximum: 1000 }, true);
const width = scaleOf({ minimum: 16, maximum: 16384, multipleOf: 8, step: 8 }, true);
const denoise = scaleOf({ minimum: 0, maximum: 1, step: 0.05 }, false);

describe("numbers in fields", () => {
  it("take the nearest value that is allowed", () => {
    expect(fitted(0, steps)).toBe(1);
    expect(fitted(99999, steps)).toBe(1000);
    expect(fitted(20.4, steps)).toBe(20);
    expect(fitted(501, width)).toBe(504);
  });

  it("step without the dust of binary fractions", () => {
    expect(stepped(0.1, 4, denoise)).toBe(0.3);
    expect(stepped(0.98, 1, denoise)).toBe(1);
    expect(stepped(512, -1, width)).toBe(504);
  });

  it("are written with the decimals of their steps, or those that they have", () => {
    expect(written(1, denoise)).toBe("1.00");
    expect(written(0.123, denoise)).toBe("0.123");
    expect(written(20, steps)).toBe("20");
  });

  it("have a bar only where their range is small", () => {
    expect(hasBar(denoise)).toBe(true);
    expect(hasBar(steps)).toBe(false);
    expect(hasBar(scaleOf({}, false))).toBe(false);
  });

  it("keep off an excluded end", () => {
    expect(scaleOf({ exclusiveMinimum: 0, exclusiveMaximum: 10 }, true)).toMatchObject({
      least: 1,
      most: 9,
    });
  });
});
