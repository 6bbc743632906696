/** Every text that a person reads, by its code. `{name}` stands for a value. */

import { base } from "./words/base";
import { canvas } from "./words/canvas";
import { commands } from "./words/commands";
import { paint } from "./words/paint";
import { panels } from "./words/panels";
import { run } from "./words/run";
import { shortcuts } from "./words/shortcuts";

const words = {
  ...base,
  ...canvas,
  ...commands,
  ...panels,
  ...run,
  ...paint,
  ...shortcuts,
} as const;

export type Code = keyof typeof words;
type Values = Readonly<Record<string, string | number>>;

/** The text of a code, with the values that it speaks of. */
export function say(code: Code, values: Values = {}): string {
  return words[code].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text for one or for several: `{count}` is the number. */
export function sayCount(one: Code, many: Code, count: number, values: Values = {}): string {
  return say(count === 1 ? one : many, { ...values, count });
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly hint?: string | null;
}

/** The text of an error: our own for a code that we know, else the server's with its remedy. */
export function sayError(error: Told): string {
  const code = `error.${error.code}`;
  if (isCode(code)) return say(code, { status: error.status ?? 0 });
  const { message, hint } = error;
  return hint === undefined || hint === null ? message : say("error.hint", { message, hint });
}

function isCode(code: string): code is Code {
  return Object.hasOwn(words, code);
}
