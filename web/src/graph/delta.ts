/** How one JSON value becomes another and back: as small as the change, and JSON itself. */

import { isList, isObject, type Json, type JsonObject, same } from "./json";
import { at, entriesOf, has, keysOf, mapTable, put, tableOf } from "./tables";

/**
 * - `{set: [old, new]}`: replaced.
 * - `{in, gone, came, order}`: a table with values changed, and names gone from and come to places.
 * - `{items}`: a list of the same length with items changed.
 * - `{splice: [place, old, new]}`: a list with a stretch of items replaced.
 */
export type Delta = JsonObject;

/** What leads from one value to another; null if they are the same, the order of names included. */
export function delta(before: Json, after: Json): Delta | null {
  if (before === after) return null;
  if (isObject(before) && isObject(after)) return tableDelta(before, after);
  if (isList(before) && isList(after)) return listDelta(before, after);
  return same(before, after) ? null : { set: [before, after] };
}

/** The value after a change. */
export function applied(value: Json, change: Delta): Json {
  return moved(value, change, true);
}

/** The value before a change. */
export function reverted(value: Json, change: Delta): Json {
  return moved(value, change, false);
}

/** Two changes, one after the other, as one; null if the second takes the first back. */
export function joined(before: Json, first: Delta, after: Json): Delta | null {
  return delta(reverted(before, first), after);
}

function tableDelta(before: JsonObject, after: JsonObject): Delta | null {
  const [old, next] = [keysOf(before), keysOf(after)];
  const kept = old.filter((key) => has(after, key));
  const stayed = next.filter((key) => has(before, key));
  const isOrdered = kept.every((key, index) => key === stayed[index]);
  const inner: [string, Json][] = [];
  for (const key of kept) {
    const change = delta(before[key] ?? null, after[key] ?? null);
    if (change !== null) inner.push([key, change]);
  }
  const gone = placesIn(old, before, after);
  const came = placesIn(next, after, before);
  const change: Delta = {
    ...(inner.length > 0 ? { in: tableOf(inner) } : {}),
    ...(gone.length > 0 ? { gone } : {}),
    ...(came.length > 0 ? { came } : {}),
    ...(isOrdered ? {} : { order: [old, next] }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** Names that only one side has, with their places and values. */
function placesIn(keys: readonly string[], table: JsonObject, other: JsonObject): Json[] {
  return keys.flatMap((key, place): Json[] =>
    has(other, key) ? [] : [[place, key, table[key] ?? null]],
  );
}

function listDelta(before: readonly Json[], after: readonly Json[]): Delta | null {
  if (before.length === after.length) {
    const items = before.flatMap((item, place): [string, Json][] => {
      const change = delta(item, after[place] ?? null);
      return change === null ? [] : [[`${place}`, change]];
    });
    return items.length === 0 ? null : { items: tableOf(items) };
  }
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && delta(before[start] ?? null, after[start] ?? null) === null) start += 1;
  let end = 0;
  while (
    end < shorter - start &&
    delta(before.at(-1 - end) ?? null, after.at(-1 - end) ?? null) === null
  ) {
    end += 1;
  }
  const old = before.slice(start, before.length - end);
  return { splice: [start, old, after.slice(start, after.length - end)] };
}

function moved(value: Json, change: Delta, isForward: boolean): Json {
  const { set, items, splice } = change;
  if (isList(set)) return set[isForward ? 1 : 0] ?? null;
  if (isObject(items) && isList(value)) {
    return value.map((item, place) => {
      const inner = at(items, `${place}`);
      return isObject(inner) ? moved(item, inner, isForward) : item;
    });
  }
  if (isList(splice) && isList(value)) {
    const [place, old, next] = splice;
    const [out, into] = isForward ? [old, next] : [next, old];
    if (typeof place !== "number" || !isList(out) || !isList(into)) return value;
    return [...value.slice(0, place), ...into, ...value.slice(place + out.length)];
  }
  return isObject(value) ? movedTable(value, change, isForward) : value;
}

function movedTable(value: JsonObject, change: Delta, isForward: boolean): JsonObject {
  const { in: inner, gone, came, order } = change;
  const leaving = new Set(places(isForward ? gone : came).map(([, key]) => key));
  const arriving = places(isForward ? came : gone);
  let table = value;
  if (isObject(inner)) {
    table = mapTable(table, (each, key) => {
      const step = at(inner, key);
      return isObject(step) ? moved(each, step, isForward) : each;
    });
  }
  if (leaving.size > 0 || arriving.length > 0) {
    const entries = entriesOf(table).filter(([key]) => !leaving.has(key));
    for (const [place, key, each] of arriving) entries.splice(place, 0, [key, each]);
    table = tableOf(entries);
  }
  if (!isList(order)) return table;
  const keys = order[isForward ? 1 : 0];
  return isList(keys) ? ordered(table, keys) : table;
}

function places(value: Json | undefined): [number, string, Json][] {
  if (!isList(value)) return [];
  return value.flatMap((each): [number, string, Json][] => {
    if (!isList(each)) return [];
    const [place, key, inner] = each;
    const isSound = typeof place === "number" && typeof key === "string" && inner !== undefined;
    return isSound ? [[place, key, inner]] : [];
  });
}

function ordered(table: JsonObject, keys: readonly Json[]): JsonObject {
  let result: JsonObject = {};
  for (const key of keys) {
    const value = typeof key === "string" ? at(table, key) : undefined;
    if (typeof key === "string" && value !== undefined) result = put(result, key, value);
  }
  return result;
}
