/** How a type of link looks: its hue and its glyph, which carries the type where hues are not seen. */

import { legibleHue } from "./contrast";

export const glyphNames = [
  "diamond",
  "square",
  "triangle",
  "circle",
  "hexagon",
  "picture",
  "half",
  "plus",
  "chevron",
  "ring",
  "dot",
  "bar",
] as const;

export type GlyphName = (typeof glyphNames)[number];

export interface TypeLook {
  /** A CSS colour. */
  readonly hue: string;
  readonly glyph: GlyphName;
}

const known: ReadonlyMap<string, TypeLook> = new Map([
  ["Model", { hue: "var(--type-model)", glyph: "diamond" }],
  ["TextEncoder", { hue: "var(--type-text-encoder)", glyph: "square" }],
  ["VAE", { hue: "var(--type-vae)", glyph: "triangle" }],
  ["Conditioning", { hue: "var(--type-conditioning)", glyph: "circle" }],
  ["Latents", { hue: "var(--type-latents)", glyph: "hexagon" }],
  ["Image", { hue: "var(--type-image)", glyph: "picture" }],
  ["Mask", { hue: "var(--type-mask)", glyph: "half" }],
  ["ControlNet", { hue: "var(--type-control)", glyph: "plus" }],
  ["Upscaler", { hue: "var(--type-upscaler)", glyph: "chevron" }],
  ["Vision", { hue: "var(--type-vision)", glyph: "ring" }],
  ["int", { hue: "var(--type-number)", glyph: "dot" }],
  ["float", { hue: "var(--type-number)", glyph: "dot" }],
  ["bool", { hue: "var(--type-number)", glyph: "dot" }],
  ["str", { hue: "var(--type-text)", glyph: "bar" }],
]);

/** The type within a list, a table or an alternative: `list[Image]` and `Image | None` look as `Image`. */
export function innerType(type: string): string {
  const [first = type] = type.split("|").map((part) => part.trim());
  const inner = /^\w+\[(.+)\]$/.exec(first)?.[1];
  return inner === undefined ? first : innerType(inner);
}

function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (const character of text)
    sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return sum;
}

const made = new Map<string, TypeLook>();

/** The look of a port's type. One that is not known gets a hue of its own, always the same. */
export function typeLook(type: string): TypeLook {
  const inner = innerType(type);
  const look = known.get(inner) ?? made.get(inner);
  if (look !== undefined) return look;
  const seed = hash(inner);
  const glyph = glyphNames[Math.floor(seed / 360) % 10] ?? "circle";
  const fresh: TypeLook = { hue: legibleHue(seed % 360), glyph };
  made.set(inner, fresh);
  return fresh;
}
