/** The mark of a port's type, in its hue. */

import { typeLook, type GlyphName } from "./types";

const shapes: { readonly [name in GlyphName]: string } = {
  diamond: "M5 .4 9.6 5 5 9.6.4 5z",
  square: "M1 1h8v8H1z",
  triangle: "M5 .7 9.7 9.2H.3z",
  circle: "M5 .8a4.2 4.2 0 1 1 0 8.4A4.2 4.2 0 0 1 5 .8z",
  hexagon: "M5 .3 9.1 2.6v4.8L5 9.7.9 7.4V2.6z",
  picture: "M2 1.6h6Q9.8 1.6 9.8 3.3v3.4Q9.8 8.4 8 8.4H2Q.2 8.4.2 6.7V3.3Q.2 1.6 2 1.6z",
  half: "M5 .8a4.2 4.2 0 0 1 0 8.4z",
  plus: "M3.5.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
  chevron: "M5 1 9.6 6v3.2L5 4.4.4 9.2V6z",
  ring: "M5 .6a4.4 4.4 0 1 1 0 8.8A4.4 4.4 0 0 1 5 .6M5 3.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  dot: "M5 2.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
  bar: "M3.4.8h3.2v8.4H3.4z",
};

interface Props {
  readonly type: string;
}

export function Glyph({ type }: Props) {
  const { hue, glyph } = typeLook(type);
  return (
    <svg className="glyph" viewBox="0 0 10 10" aria-hidden="true" style={{ color: hue }}>
      <path d={shapes[glyph]} fill="currentColor" fillRule="evenodd" />
      {glyph === "half" && (
        <circle cx="5" cy="5" r="3.7" fill="none" stroke="currentColor" strokeWidth="1" />
      )}
    </svg>
  );
}
