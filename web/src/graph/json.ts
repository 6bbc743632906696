/**
 * JSON read and printed without loss, as the server reads and prints it.
 *
 * JavaScript's own parser makes `3.0` a `3`, and rounds integers beyond 2^53, such as seeds. Here
 * - a whole number that is written as a fraction (`3.0`, `1e5`) is a `Float`,
 * - an integer that a JavaScript number cannot hold is a `bigint`,
 * - every other number is a JavaScript number.
 * `numberOf` reads all three. Store and send documents as text that `printJson` made.
 */

import { entriesOf, tableOf } from "./tables";

/** A whole number of which the document says that it is a fraction, such as `3.0`. */
export class Float {
  constructor(readonly value: number) {}

  valueOf(): number {
    return this.value;
  }

  toJSON(): number {
    return this.value;
  }

  toString(): string {
    return fraction(this.value);
  }
}

export type Json =
  | null
  | boolean
  | number
  | bigint
  | Float
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The text is no JSON that the server would read. */
export class JsonError extends Error {
  constructor(
    readonly code: "syntax" | "twice" | "number" | "depth",
    readonly line: number,
    readonly column: number,
    message: string,
  ) {
    super(message);
    this.name = "JsonError";
  }
}

const MAX_DEPTH = 400;
const MAX_DIGITS = 400;

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value) && !(value instanceof Float);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value of a number in any of its forms, rounded where JavaScript must; else null. */
export function numberOf(value: Json | undefined): number | null {
  if (typeof value === "number") return value;
  if (value instanceof Float) return value.value;
  return typeof value === "bigint" ? Number(value) : null;
}

/** The number as a fraction for a document: 3 becomes `3.0`, as the server writes it. */
export function float(value: number): number | Float {
  return Number.isInteger(value) ? new Float(value) : value;
}

/** The integer for a document, as a JavaScript number where that holds it. */
export function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Whether two values print the same text, the order of names left aside. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Float) return b instanceof Float && Object.is(a.value, b.value);
  if (isList(a)) {
    return isList(b) && a.length === b.length && a.every((item, index) => same(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
  );
}

/** The value in a JSON text. Throws `JsonError`. */
export function readJson(text: string): Json {
  return new Reader(text).document();
}

/** The value as one line of JSON. */
export function printJson(value: Json): string {
  if (typeof value === "number") return numeral(value);
  if (typeof value === "bigint" || value instanceof Float) return value.toString();
  if (isList(value)) return `[${value.map(printJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = entriesOf(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${printJson(item)}`,
  );
  return `{${members.join(",")}}`;
}

/** The value as the text of a file, equal to what the server writes. */
export function printDocument(value: Json): string {
  return `${indented(value, "\n")}\n`;
}

function indented(value: Json, margin: string): string {
  const inner = `${margin}  `;
  if (isList(value)) {
    if (value.length === 0) return "[]";
    return `[${inner}${value.map((item) => indented(item, inner)).join(`,${inner}`)}${margin}]`;
  }
  if (!isObject(value)) return printJson(value);
  const members = entriesOf(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${indented(item, inner)}`,
  );
  return members.length === 0 ? "{}" : `{${inner}${members.join(`,${inner}`)}${margin}}`;
}

function numeral(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a number in JSON`);
  return Number.isInteger(value) && !Object.is(value, -0)
    ? BigInt(value).toString()
    : fraction(value);
}

/** A fraction as Python writes it: `3.0`, `1e-05`, `1e+16`. */
function fraction(value: number): string {
  const [mantissa = "", power = "0"] = value.toExponential().split("e");
  const sign = Object.is(value, -0) ? "-" : "";
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const digits = Math.abs(exponent).toString().padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  if (exponent >= 0) {
    const text = value.toString();
    return sign + (text.includes(".") ? text : `${text}.0`);
  }
  const text = value.toString();
  return text.includes("e")
    ? value.toFixed(mantissa.replace(/\D/g, "").length - 1 - exponent)
    : text;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORDS: readonly (readonly [string, Json])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

class Reader {
  private place = 0;

  constructor(private readonly text: string) {
    if (text.startsWith("\uFEFF")) this.place = 1;
  }

  document(): Json {
    const value = this.value(0);
    this.match(SPACE);
    if (this.place < this.text.length) this.fail("syntax", "something stands behind the end");
    return value;
  }

  private value(depth: number): Json {
    if (depth > MAX_DEPTH) this.fail("depth", `it is nested more than ${MAX_DEPTH} deep`);
    this.match(SPACE);
    const first = this.text[this.place];
    if (first === "{") return this.object(depth);
    if (first === "[") return this.list(depth);
    if (first === '"') return this.string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.place)) {
        this.place += word.length;
        return value;
      }
    }
    return this.number();
  }

  private object(depth: number): Json {
    const entries: [string, Json][] = [];
    const names = new Set<string>();
    this.place += 1;
    if (this.skip("}")) return {};
    do {
      this.match(SPACE);
      const name = this.string();
      if (names.has(name)) this.fail("twice", `the name ${JSON.stringify(name)} stands twice`);
      names.add(name);
      this.expect(":");
      entries.push([name, this.value(depth + 1)]);
    } while (this.skip(","));
    this.expect("}");
    return tableOf(entries);
  }

  private list(depth: number): Json {
    const items: Json[] = [];
    this.place += 1;
    if (this.skip("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.skip(","));
    this.expect("]");
    return items;
  }

  private string(): string {
    const found = this.match(STRING);
    if (found === null) this.fail("syntax", "a text in quotes is expected");
    const inner: unknown = found[0].includes("\\") ? JSON.parse(found[0]) : found[0].slice(1, -1);
    return String(inner);
  }

  private number(): Json {
    const start = this.place;
    const found = this.match(NUMBER);
    if (found === null) this.fail("syntax", "a value is expected");
    const [literal, whole = "", decimals, power] = found;
    if (decimals !== undefined || power !== undefined) {
      const value = Number(literal);
      if (!Number.isFinite(value)) this.fail("number", `${literal} is too large`, start);
      return float(value);
    }
    if (whole.length > MAX_DIGITS) this.fail("number", "a number has too many digits", start);
    return whole.length < 16 ? Number(whole) + 0 : integer(BigInt(whole));
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    if (found !== null) this.place = pattern.lastIndex;
    return found;
  }

  private skip(character: string): boolean {
    this.match(SPACE);
    if (this.text[this.place] !== character) return false;
    this.place += 1;
    return true;
  }

  private expect(character: string): void {
    if (!this.skip(character)) this.fail("syntax", `"${character}" is expected`);
  }

  private fail(code: JsonError["code"], why: string, place = this.place): never {
    const lines = this.text.slice(0, place).split("\n");
    const column = (lines.at(-1) ?? "").length + 1;
    throw new JsonError(
      code,
      lines.length,
      column,
      `${why}, at line ${lines.length}, column ${column}`,
    );
  }
}
