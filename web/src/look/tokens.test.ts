import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { contrast } from "./contrast";
import { iconNames } from "./Icon";
import { innerType, typeLook } from "./types";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf-8");
const pairs = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = "", light = "", dark = ""]) => [name, { light, dark }] as const,
  ),
);

function of(name: string, theme: "light" | "dark"): string {
  const token = pairs.get(name);
  if (token === undefined) throw new Error(`tokens.css has no opaque colour --${name}`);
  return token[theme];
}

const surfaces = ["sunken", "canvas", "panel", "body", "raised"];
const texts = ["text", "quiet", "faint", "accent", "error", "warning", "good"];
const types = [...pairs.keys()].filter((name) => name.startsWith("type-"));

describe.each(["light", "dark"] as const)("the %s theme", (theme) => {
  it.each(texts.flatMap((text) => surfaces.map((surface) => [text, surface] as const)))(
    "has legible %s on %s",
    (text, surface) =>
      expect(contrast(of(text, theme), of(surface, theme))).toBeGreaterThanOrEqual(4.5),
  );

  it("has legible text on what is filled", () => {
    for (const fill of ["accent", "accent-hover"])
      expect(contrast(of("on-accent", theme), of(fill, theme))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(surfaces)("bounds controls visibly on %s", (surface) =>
    expect(contrast(of("edge", theme), of(surface, theme))).toBeGreaterThanOrEqual(3),
  );

  it.each(types)("draws %s so that wires and ports are seen", (type) => {
    for (const surface of ["canvas", "body", "panel"])
      expect(contrast(of(type, theme), of(surface, theme))).toBeGreaterThanOrEqual(4.3);
  });

  it("gives any unknown type a hue that is seen", () => {
    for (let each = 0; each < 300; each += 1) {
      const { hue } = typeLook(`Unheard${each}`);
      const [light = "", dark = ""] = hue.match(/#[0-9a-f]{6}/g) ?? [];
      const surface = theme === "light" ? of("canvas", "light") : of("body", "dark");
      expect(contrast(theme === "light" ? light : dark, surface)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe("the look of a type", () => {
  it("looks through lists, tables and alternatives", () => {
    expect(innerType("list[Image]")).toBe("Image");
    expect(innerType("Grid[list[Mask]]")).toBe("Mask");
    expect(typeLook("Image | None")).toBe(typeLook("Image"));
  });

  it("stays the same for a type that nobody has heard of", () => {
    expect(typeLook("Depth")).toStrictEqual(typeLook("Depth"));
    expect(typeLook("Depth").hue).not.toBe(typeLook("Skeleton").hue);
  });

  it("never shares a glyph and a hue between two known types", () => {
    const names = ["Model", "TextEncoder", "VAE", "Conditioning", "Latents", "Image", "Mask"];
    expect(new Set(names.map((name) => typeLook(name).glyph)).size).toBe(names.length);
    expect(new Set(names.map((name) => typeLook(name).hue)).size).toBe(names.length);
  });
});

it("names each icon once", () => expect(new Set(iconNames).size).toBe(iconNames.length));
