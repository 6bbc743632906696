import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { float, Float, type Json, JsonError, numberOf, printJson, readJson, same } from "./json";

describe("numbers keep what the server reads in them", () => {
  test.each([
    ["3", "3"],
    ["3.0", "3.0"],
    ["1e5", "100000.0"],
    ["0.00001", "1e-05"],
    ["0.0001", "0.0001"],
    ["12345678.9e-15", "1.23456789e-08"],
    ["1e16", "1e+16"],
    ["123456789012345680.0", "1.2345678901234568e+17"],
    ["9999999999999998.0", "9999999999999998.0"],
    ["18446744073709551615", "18446744073709551615"],
    ["-9007199254740993", "-9007199254740993"],
    ["-0", "0"],
    ["-0.0", "-0.0"],
    ["0.0", "0.0"],
    ["1.5", "1.5"],
    ["5e-324", "5e-324"],
  ])("%s is printed as %s", (text, printed) => {
    expect(printJson(readJson(text))).toBe(printed);
  });

  test("a seed of 64 bits survives", () => {
    expect(readJson("18446744073709551615")).toBe(18446744073709551615n);
    expect(readJson("9007199254740991")).toBe(9007199254740991);
  });

  test("every form has its value", () => {
    expect([3, float(3), 3n, "3"].map(numberOf)).toEqual([3, 3, 3, null]);
    expect(float(0.5)).toBe(0.5);
    expect(same(3, new Float(3))).toBe(false);
  });
});

test("names keep their order, also those that look like numbers", () => {
  const text = '{"b":1,"10":2,"2":3,"a":{"1":1,"0":2},"__proto__":4}';
  expect(printJson(readJson(text))).toBe(text);
});

test.each([
  ['{"a": 1, "a": 2}', "twice", 1, 13],
  ['{"a": 1,\n "b" 2}', "syntax", 2, 6],
  ["[1, 2", "syntax", 1, 6],
  ["[01]", "syntax", 1, 3],
  ["NaN", "syntax", 1, 1],
  ["1e999", "number", 1, 1],
  ["1".repeat(401), "number", 1, 1],
  ["[".repeat(1000), "depth", 1, 402],
  ['"\n"', "syntax", 1, 1],
  ["", "syntax", 1, 1],
])("%.20s… is refused as %s", (text, code, line, column) => {
  const error = (() => {
    try {
      return readJson(text);
    } catch (caught) {
      return caught;
    }
  })();
  expect(error).toBeInstanceOf(JsonError);
  expect(error).toMatchObject({ code, line, column });
});

test("whatever JSON carries is read as JavaScript reads it, and printed the same again", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      const read: Json = readJson(text);
      expect(JSON.parse(printJson(read))).toEqual(JSON.parse(text));
      expect(printJson(readJson(printJson(read)))).toBe(printJson(read));
    }),
  );
});
