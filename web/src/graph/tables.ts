/**
 * JSON objects as ordered tables that are never changed: every edit gives a new one.
 *
 * JavaScript puts names such as "7" before all others. Where that would change the order of a
 * document, the order is kept under a symbol, which spreading copies and printing reads.
 */

export type Table<T> = { readonly [key: string]: T };

const ORDER = Symbol("order");
const INDEX = /^(0|[1-9]\d{0,9})$/;

/** What stands under a name; never what an object inherits, such as `constructor`. */
export function at<T>(table: Table<T> | undefined, key: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}

export function has(table: Table<unknown> | undefined, key: string): boolean {
  return table !== undefined && Object.hasOwn(table, key);
}

/** The names in the order of the document. */
export function keysOf(table: Table<unknown> | undefined): string[] {
  if (table === undefined) return [];
  const keys = Object.keys(table);
  const order: unknown = Reflect.get(table, ORDER);
  if (!Array.isArray(order)) return keys;
  const known = order.filter((key): key is string => typeof key === "string" && has(table, key));
  const listed = new Set(known);
  return [...known, ...keys.filter((key) => !listed.has(key))];
}

export function entriesOf<T>(table: Table<T> | undefined): [string, T][] {
  const entries: [string, T][] = [];
  for (const key of keysOf(table)) {
    const value = table?.[key];
    if (value !== undefined) entries.push([key, value]);
  }
  return entries;
}

export function valuesOf<T>(table: Table<T> | undefined): T[] {
  return entriesOf(table).map(([, value]) => value);
}

/** A table of entries in this order; a later entry of the same name counts. */
export function tableOf<T>(entries: readonly (readonly [string, T])[]): Table<T> {
  const table: Table<T> = Object.fromEntries(entries);
  if (entries.some(([key]) => INDEX.test(key))) {
    const order = [...new Set(entries.map(([key]) => key))];
    if (Object.keys(table).some((key, index) => key !== order[index])) {
      Object.defineProperty(table, ORDER, { value: order, enumerable: true });
    }
  }
  return table;
}

/** The table with one value set; a new name comes last, or at `index`. */
export function put<T>(table: Table<T>, key: string, value: T, index?: number): Table<T> {
  if (has(table, key)) {
    if (table[key] === value) return table;
    return tableOf(entriesOf(table).map(([each, old]) => [each, each === key ? value : old]));
  }
  const entries = entriesOf(table);
  entries.splice(index ?? entries.length, 0, [key, value]);
  return tableOf(entries);
}

/** The table without some names. */
export function drop<T>(table: Table<T>, ...keys: readonly string[]): Table<T> {
  if (!keys.some((key) => has(table, key))) return table;
  const gone = new Set(keys);
  return tableOf(entriesOf(table).filter(([key]) => !gone.has(key)));
}

/** The table with one name replaced, in its place; whoever had the new name before is gone. */
export function renameKey<T>(table: Table<T>, from: string, to: string): Table<T> {
  if (from === to || !has(table, from)) return table;
  const entries = entriesOf(table).filter(([key]) => key !== to);
  return tableOf(entries.map(([key, value]) => [key === from ? to : key, value]));
}

/** The table with each value replaced; what becomes `undefined` is left out. The same if nothing changed. */
export function mapTable<T>(
  table: Table<T>,
  change: (value: T, key: string) => T | undefined,
): Table<T> {
  let changed = false;
  const entries: [string, T][] = [];
  for (const [key, value] of entriesOf(table)) {
    const next = change(value, key);
    if (next !== value) changed = true;
    if (next !== undefined) entries.push([key, next]);
  }
  return changed ? tableOf(entries) : table;
}
