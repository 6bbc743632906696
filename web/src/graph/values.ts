/** What stands in an input: links, ranges and axes found, followed and made. */

import type { Axis, Link, Range, Value } from "./document";
import type { NodeId } from "./ids";
import { isList, isObject, type Json, numberOf } from "./json";
import { mapTable, valuesOf } from "./tables";

export function link(node: NodeId, output: string): Link {
  return { $link: [node, output] };
}

export function isLink(value: Value | undefined): value is Link {
  if (!isObject(value)) return false;
  const pair = value["$link"];
  return isList(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
}

export function isAxis(value: Value | undefined): value is Axis {
  return isObject(value) && (isList(value["$axis"]) || isRange(value["$axis"]));
}

export function isRange(value: Value | undefined): value is Range {
  return isObject(value) && isObject(value["$range"]);
}

/** Every link in a value, through lists, tables and axes. */
export function linksIn(value: Value | undefined): Link[] {
  if (isLink(value)) return [value];
  if (isList(value)) return value.flatMap(linksIn);
  return isObject(value) ? valuesOf(value).flatMap(linksIn) : [];
}

/**
 * The value with every link replaced by what `follow` gives for it. A link for which it gives
 * nothing is taken out of the list or table that it stands in; alone, it leaves nothing.
 */
export function replaceLinks(
  value: Value,
  follow: (link: Link) => Value | undefined,
): Value | undefined {
  if (isLink(value)) return follow(value);
  if (isAxis(value) && isList(value.$axis)) {
    const axis = replaceLinks(value.$axis, follow);
    if (axis === value.$axis || !isList(axis)) return value;
    return axis.length === 0 && value.$axis.length > 0 ? undefined : { ...value, $axis: axis };
  }
  if (isList(value)) {
    let changed = false;
    const items: Json[] = [];
    for (const item of value) {
      const next = replaceLinks(item, follow);
      if (next !== item) changed = true;
      if (next !== undefined) items.push(next);
    }
    return changed ? items : value;
  }
  return isObject(value) ? mapTable(value, (item) => replaceLinks(item, follow)) : value;
}

/** The values of an axis one by one, at most `most`; none of a range that is none. */
export function axisValues(axis: Axis, most = 1000): readonly Json[] {
  return isList(axis.$axis) ? axis.$axis : rangeValues(axis.$axis, most);
}

/** How many values a range has; 0 for one that is empty or without end. */
export function rangeLength(range: Range): number {
  const { from, to, count, step } = range.$range;
  const given = numberOf(count);
  if (given !== null) return Number.isInteger(given) && given > 0 ? given : 0;
  const first = numberOf(from) ?? 0;
  const by = numberOf(step ?? 1) ?? 1;
  const span = (numberOf(to ?? first) ?? first) - first;
  if (by === 0 || span / by < 0) return 0;
  // A thousandth of a step, so that 0.1 three times reaches 0.3.
  return Math.trunc(span / by + 1e-3) + 1;
}

export function rangeValues(range: Range, most = 1000): readonly number[] {
  const first = numberOf(range.$range.from) ?? 0;
  const step = numberOf(range.$range.step ?? 1) ?? 1;
  const isWhole = Number.isInteger(first) && Number.isInteger(step);
  return Array.from({ length: Math.min(rangeLength(range), most) }, (_, index) => {
    const value = first + index * step;
    return isWhole ? value : Math.round(value * 1e12) / 1e12;
  });
}
