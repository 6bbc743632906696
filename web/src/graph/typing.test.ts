import { describe, expect, test } from "vitest";
import { evaluate, exactInteger } from "./arithmetic";
import { freshName, idLike } from "./ids";
import { weighted } from "./weights";

describe("sums in number fields", () => {
  test.each([
    ["512", 512],
    ["512*1.5", 768],
    ["(64+8)/2", 36],
    ["2^3^2", 512],
    ["-2**2", -4],
    ["0.1+0.2", 0.3],
    ["10 % 4", 2],
    ["1,5", 1.5],
    ["1e3", 1000],
    ["+=64", 576],
    ["*= 1/2", 256],
    ["-=2", 510],
    ["1/0", null],
    ["2 3", null],
    ["(1", null],
    ["alert(1)", null],
    ["", null],
    ["1+", null],
  ])("%s is %s", (text, value) => {
    expect(evaluate(text, 512)).toBe(value);
  });

  test("a large seed stays exact", () => {
    expect(exactInteger(" 18446744073709551615 ")).toBe(18446744073709551615n);
    expect(exactInteger("1.5")).toBeNull();
  });
});

describe("weights in prompts", () => {
  const up = (text: string, start: number, end = start, steps = 1) =>
    weighted({ text, start, end }, steps);

  test("the word at the cursor is weighted, further, and freed again", () => {
    const once = up("a red house", 4);
    expect(once).toEqual({ text: "a (red:1.1) house", start: 2, end: 11 });
    const twice = weighted(once, 1);
    expect(twice.text).toBe("a (red:1.2) house");
    expect(weighted(twice, -2).text).toBe("a red house");
  });

  test("a selection is weighted without the spaces around it", () => {
    expect(up("a red house", 1, 11, -1).text).toBe("a (red house:0.9)");
    expect(up("a  b", 2).text).toBe("a  b");
  });
});

test.each([
  ["KSampler", "sampler"],
  ["VAEDecode", "vae_decode"],
  ["CLIPEncode", "clip_encode"],
  ["Add", "add"],
  ["A Part, of it", "a_part_of_it"],
  ["7", "node_7"],
])("a %s is called %s", (type, id) => {
  expect(idLike(type)).toBe(id);
  expect(freshName(id, (name) => name === id)).toBe(`${id.replace(/_\d+$/, "")}_2`);
});
