/** Sizes of files and of memory, as people read them. */

/** A size in bytes: `820 kB`, `2.1 GB`. */
export function sizeText(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"] as const;
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text =
    value >= 99.5 || unit === 0 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
  return `${text} ${units[unit] ?? "B"}`;
}
