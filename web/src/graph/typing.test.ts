import { describe, expect, it } from "vitest";

import { evaluate } from "./arithmetic";
import { weigh } from "./weights";

describe("arithmetic in number fields", () => {
  it.each([
    ["512*1.5", 768],
    ["(2+3)/4", 1.25],
    ["-2^2", -4],
    ["2**3**2", 512],
    ["50%*200", 100],
    ["1,5+1", 2.5],
    [" 7 ", 7],
    ["1e3", 1000],
    ["--3", 3],
  ])("%s is %d", (text, value) => expect(evaluate(text)).toBe(value));

  it.each(["", "2+", "(1", "1)", "1/0", "alert(1)", "1 2", "((((", "a*2"])(
    "“%s” is no sum",
    (text) => expect(evaluate(text)).toBeNull(),
  );

  it("does not go deeper than it has to", () =>
    expect(evaluate(`${"(".repeat(10_000)}1${")".repeat(10_000)}`)).toBeNull());
});

describe("weights in prompts", () => {
  it("weighs the word at the caret", () =>
    expect(weigh("a red house", 3, 3, 0.1)).toEqual({
      text: "a (red:1.1) house",
      start: 3,
      end: 6,
    }));

  it("changes a weight that is there, and takes it away at 1", () => {
    expect(weigh("a (red:1.1) house", 4, 4, 0.1)?.text).toBe("a (red:1.2) house");
    expect(weigh("a (red:1.1) house", 3, 6, -0.1)?.text).toBe("a red house");
  });

  it("weighs a selection without the blanks around it", () =>
    expect(weigh("a red house ", 1, 12, -0.1)?.text).toBe(
      "a (red house:0.9)".replace("a (", "a (") + " ",
    ));

  it("takes a selection with its weight as the weighed text", () =>
    expect(weigh("(red house:1.1)", 0, 15, 0.1)?.text).toBe("(red house:1.2)"));

  it("changes nothing between words", () => expect(weigh("a, b", 2, 2, 0.1)).toBeNull());
});
