/** Weights in prompts: `(word:1.1)`, made and changed around what is selected. */

export interface Weighed {
  readonly text: string;
  /** What is selected afterwards. */
  readonly start: number;
  readonly end: number;
}

const BREAKS = /[\s,.;:()[\]{}]/;
const WEIGHT = /^:\s*(\d*\.?\d+)\s*\)/;
const LEAST = 0;
const MOST = 9.9;

/** The prompt with the weight of the selection, or of the word at the caret, changed by an amount. */
export function weigh(text: string, start: number, end: number, by: number): Weighed | null {
  const [from, to] = start === end ? wordAt(text, start) : trimmed(text, start, end);
  if (from === to) return null;
  const inner = text.slice(from, to);
  const behind = WEIGHT.exec(text.slice(to));
  const isWeighed = text[from - 1] === "(" && behind !== null;
  const before = isWeighed ? Number(behind[1]) : 1;
  const weight = Math.round(Math.min(MOST, Math.max(LEAST, before + by)) * 100) / 100;
  const head = text.slice(0, isWeighed ? from - 1 : from);
  const tail = text.slice(isWeighed ? to + behind[0].length : to);
  const open = weight === 1 ? "" : "(";
  const close = weight === 1 ? "" : `:${weight})`;
  const begin = head.length + open.length;
  return { text: head + open + inner + close + tail, start: begin, end: begin + inner.length };
}

function wordAt(text: string, caret: number): readonly [number, number] {
  let from = caret;
  let to = caret;
  while (from > 0 && !BREAKS.test(text[from - 1] ?? " ")) from -= 1;
  while (to < text.length && !BREAKS.test(text[to] ?? " ")) to += 1;
  return [from, to];
}

/** The selection without the blanks around it, and without the weight that it may include. */
function trimmed(text: string, start: number, end: number): readonly [number, number] {
  let [from, to] = [start, end];
  const whole = /^\s*\(([^()]*):\s*\d*\.?\d+\s*\)\s*$/.exec(text.slice(start, end));
  if (whole?.[1] !== undefined) {
    from = text.indexOf("(", start) + 1;
    to = from + whole[1].length;
  }
  while (from < to && /\s/.test(text[from] ?? "")) from += 1;
  while (to > from && /\s/.test(text[to - 1] ?? "")) to -= 1;
  return [from, to];
}
