import { expect, test } from "vitest";
import { catalogue } from "../../tests/graph";
import type { Catalogue, NodeType } from "./catalogue";
import { typeName } from "./ids";
import { categoriesOf, search } from "./search";
import { readType } from "./types";

const names = (query: string, options = {}) =>
  search(catalogue, query, options).map(({ type }) => type.name);

test.each([
  ["ksam", "KSampler"],
  ["decode vae", "VAEDecode"],
  ["vd", "VAEDecode"],
  ["lchck", "LoadCheckpoint"],
  ["loadch", "LoadCheckpoint"],
  ["resize", "ResizeImage"],
  ["load", "LoadImage"],
  ["sampler", "KSampler"],
  ["invert", "InvertImage"],
  ["prompt", "CLIPEncode"],
])("%s finds %s first", (query, name) => {
  expect(names(query)[0]).toBe(name);
});

test("pinned and lately used types come first; a category narrows", () => {
  expect(
    names("", { pinned: [typeName("VAEDecode")], recent: [typeName("Pass")] }).slice(0, 2),
  ).toEqual(["VAEDecode", "Pass"]);
  const [category = ""] = categoriesOf(catalogue)[0] ?? [];
  expect(search(catalogue, "", { category }).every(({ type }) => type.category === category)).toBe(
    true,
  );
});

test("a dragged wire leaves only what it may go into", () => {
  const found = names("", { port: { side: "output", type: readType("VAE") } });
  expect(found).toContain("VAEDecode");
  expect(found).not.toContain("KSampler");
  expect(names("", { port: { side: "input", type: readType("Model") } })).toContain(
    "LoadCheckpoint",
  );
});

test("a thousand types are searched in a blink", () => {
  const [pattern] = catalogue.types.values();
  const types = new Map(
    Array.from({ length: 1000 }, (_, index): [NodeType["name"], NodeType] => {
      const name = typeName(`Make${index}PictureOf${index % 7}Things`);
      return [name, { ...(pattern as NodeType), name }];
    }),
  );
  const large: Catalogue = { ...catalogue, types };
  search(large, "warm");
  const timed = (query: string): number => {
    const start = performance.now();
    search(large, query, { most: 50 });
    return performance.now() - start;
  };
  for (const query of ["p", "pi", "pict th", "mk7", "make things 42"]) {
    // The best of several: other work on the machine is not ours to measure.
    expect(Math.min(...Array.from({ length: 15 }, () => timed(query)))).toBeLessThan(5);
  }
});
