import { expect, test } from "vitest";

import { sizeText } from "./sizes";

test("sizes have the unit in which they are short", () => {
  expect([0, 820_000, 999_999, 2_130_000_000].map(sizeText)).toEqual([
    "0 B",
    "820 kB",
    "1 MB",
    "2.1 GB",
  ]);
});
