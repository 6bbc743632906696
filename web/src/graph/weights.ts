/** Weights in prompts by key: `(word:1.1)`. */

export interface Selection {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const STEP = 0.1;
const WEIGHTED = /^\(([^()]*):(-?\d+(?:\.\d+)?)\)$/s;

/**
 * The text with the weight of what is selected, or of the word at the cursor, raised by `steps` of
 * 0.1. At a weight of 1 the brackets go. What was weighted stays selected.
 */
export function weighted(selection: Selection, steps: number): Selection {
  const { text } = selection;
  const [start, end] = chosen(selection);
  if (start === end) return selection;
  const found = WEIGHTED.exec(text.slice(start, end));
  const inner = found?.[1] ?? text.slice(start, end);
  const weight = Math.round((Number(found?.[2] ?? 1) + steps * STEP) * 100) / 100;
  const written = weight === 1 ? inner : `(${inner}:${weight})`;
  return {
    text: text.slice(0, start) + written + text.slice(end),
    start,
    end: start + written.length,
  };
}

/** The stretch to weight: with its brackets, if it stands within such. */
function chosen({ text, start, end }: Selection): readonly [number, number] {
  for (const match of text.matchAll(/\([^()]*:-?\d+(?:\.\d+)?\)/g)) {
    const last = match.index + match[0].length;
    if (match.index <= start && end <= last) return [match.index, last];
  }
  if (start !== end) {
    const part = text.slice(start, end);
    const before = part.length - part.trimStart().length;
    const after = part.length - part.trimEnd().length;
    return before === part.length ? [start, start] : [start + before, end - after];
  }
  const before = /[^\s,()]*$/.exec(text.slice(0, start))?.[0].length ?? 0;
  const after = /^[^\s,()]*/.exec(text.slice(start))?.[0].length ?? 0;
  return [start - before, start + after];
}
