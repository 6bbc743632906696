/** Contrast as WCAG 2.2 defines it, and hues that have enough of it. */

type Rgb = readonly [red: number, green: number, blue: number];

/** `#rrggbb` as three numbers from 0 to 1. */
export function rgbOf(hex: string): Rgb {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16) / 255;
  return [part(1), part(3), part(5)];
}

function luminance(hex: string): number {
  const linear = (value: number) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const [red, green, blue] = rgbOf(hex);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

export function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

function hexOf(hue: number, saturation: number, lightness: number): string {
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const part = (offset: number) => {
    const place = (offset + hue / 30) % 12;
    const value = lightness - amplitude * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** The worst surfaces behind a wire or a port's name. */
const darkest = "#f4f5f7";
const brightest = "#22262e";

/** A hue at the lightness nearest to the others' that is legible on both themes' surfaces. */
export function legibleHue(hue: number): string {
  let light = 0.45;
  while (contrast(hexOf(hue, 0.6, light), darkest) < 4.5) light -= 0.02;
  let dark = 0.65;
  while (contrast(hexOf(hue, 0.75, dark), brightest) < 5) dark += 0.02;
  return `light-dark(${hexOf(hue, 0.6, light)}, ${hexOf(hue, 0.75, dark)})`;
}
