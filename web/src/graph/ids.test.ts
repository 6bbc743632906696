import { expect, test } from "vitest";
import { freshName, idLike, randomId } from "./ids";

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

test("no two random ids are the same", () => {
  expect(randomId()).not.toBe(randomId());
});
