/** Whether a value may stand in a field, and how it is written there. */

import { float, Float, integer, isList, isObject, type Json, numberOf, same } from "./json";
import type { Field, ListField, NumberField, ObjectField, Option, UnionField } from "./schema";
import { at, entriesOf, mapTable } from "./tables";
import { axisValues, isAxis, isLink, isRange, rangeLength, rangeValues } from "./values";

export type ValueCode =
  | "needs_link"
  | "not_number"
  | "not_integer"
  | "not_text"
  | "not_boolean"
  | "not_choice"
  | "not_list"
  | "not_table"
  | "too_small"
  | "too_large"
  | "not_multiple"
  | "too_short"
  | "too_long"
  | "bad_pattern"
  | "too_few"
  | "too_many"
  | "unknown_property"
  | "missing_property"
  | "empty_axis";

/** Why a value does not fit: a code for the table of words, its limit, and where it is inside. */
export interface ValueFault {
  readonly code: ValueCode;
  readonly limit?: string;
  /** The way to the faulty part of a list or table. */
  readonly at?: readonly (string | number)[];
}

const MAX_RANGE = 1_000_000;

/** What is wrong with a value as a field's own; null if nothing. Links are for `Wiring` to judge. */
export function checkValue(field: Field, value: Json): ValueFault | null {
  if (isLink(value)) return null;
  if (isAxis(value)) {
    const length = isRange(value.$axis) ? rangeLength(value.$axis) : value.$axis.length;
    if (length < 1 || length > MAX_RANGE) return { code: "empty_axis" };
    return firstOf(axisValues(value), (each) => checkValue(field, each));
  }
  if (value === null && field.nullable) return null;
  switch (field.kind) {
    case "number":
    case "integer":
    case "seed":
      return checkNumber(field, value);
    case "text":
    case "multiline":
    case "colour":
    case "file":
    case "image":
      return checkText(field, value);
    case "boolean":
      return typeof value === "boolean" ? null : { code: "not_boolean" };
    case "choice":
      return field.choices.some((choice) => same(choice, value)) ? null : { code: "not_choice" };
    case "list":
      return checkList(field, value);
    case "object":
      return checkObject(field, value);
    case "union":
      return checkUnion(field, value);
    case "link":
      return { code: "needs_link" };
    case "json":
      return null;
  }
}

/** The value as the document writes it in this field: 3 is `3.0` where fractions are taken. */
export function fitted(field: Field, value: Json): Json {
  if (isLink(value) || isRange(value)) return value;
  if (isAxis(value)) {
    const axis = value.$axis;
    return isRange(axis) ? value : { ...value, $axis: axis.map((each) => fitted(field, each)) };
  }
  switch (field.kind) {
    case "number":
      return typeof value === "number" ? float(value) : value;
    case "integer":
    case "seed":
      if (value instanceof Float) return integer(BigInt(value.value));
      return typeof value === "bigint" ? integer(value) : value;
    case "list":
      return isList(value) ? value.map((item) => fitted(field.item, item)) : value;
    case "object":
      return isObject(value) ? mapTable(value, (each, key) => fittedIn(field, key, each)) : value;
    case "union": {
      const option = optionOf(field, value);
      return option === undefined ? value : fitted(option.field, value);
    }
    default:
      return value;
  }
}

/** The form that a value of a union has; undefined if none fits. */
export function optionOf(field: UnionField, value: Json): Option | undefined {
  const mark = field.discriminator;
  if (mark === undefined) {
    return field.options.find((option) => checkValue(option.field, value) === null);
  }
  const tag = isObject(value) ? at(value, mark) : undefined;
  return field.options.find((option) => option.tag === tag);
}

function fittedIn(field: ObjectField, key: string, value: Json): Json {
  const property = field.properties.find((each) => each.name === key) ?? field.additional;
  return property === undefined ? value : fitted(property, value);
}

function checkNumber(field: NumberField, value: Json): ValueFault | null {
  const number = numberOf(value);
  if (number === null) return { code: field.kind === "number" ? "not_number" : "not_integer" };
  const isWhole =
    typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (field.kind !== "number" && !isWhole) return { code: "not_integer" };
  const exact = typeof value === "bigint" ? value : number;
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = field;
  if (minimum !== undefined && exact < minimum) return { code: "too_small", limit: `${minimum}` };
  if (above !== undefined && exact <= above) return { code: "too_small", limit: `> ${above}` };
  if (maximum !== undefined && exact > maximum) return { code: "too_large", limit: `${maximum}` };
  if (below !== undefined && exact >= below) {
    return { code: "too_large", limit: `< ${below.toString()}` };
  }
  const rest = multipleOf === undefined ? 0 : Math.abs(number / multipleOf) % 1;
  const isMultiple = Math.min(rest, 1 - rest) < 1e-9;
  return isMultiple ? null : { code: "not_multiple", limit: `${multipleOf ?? 1}` };
}

function checkText(
  field: Extract<Field, { maxLength?: number; pattern?: string }>,
  value: Json,
): ValueFault | null {
  if (typeof value !== "string") return { code: "not_text" };
  const { minLength, maxLength, pattern } = field;
  const length = Array.from(value).length;
  if (minLength !== undefined && length < minLength) {
    return { code: "too_short", limit: `${minLength}` };
  }
  if (maxLength !== undefined && length > maxLength) {
    return { code: "too_long", limit: `${maxLength}` };
  }
  if (pattern !== undefined && !matches(pattern, value))
    return { code: "bad_pattern", limit: pattern };
  return null;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // a pattern of Python's that JavaScript cannot read: the server will judge
  }
}

function checkList(field: ListField, value: Json): ValueFault | null {
  if (isRange(value)) {
    const length = rangeLength(value);
    if (length < 1 || length > MAX_RANGE) return { code: "empty_axis" };
    return firstOf(rangeValues(value), (each) => checkValue(field.item, each));
  }
  if (!isList(value)) return { code: "not_list" };
  const { minItems, maxItems } = field;
  if (minItems !== undefined && value.length < minItems)
    return { code: "too_few", limit: `${minItems}` };
  if (maxItems !== undefined && value.length > maxItems)
    return { code: "too_many", limit: `${maxItems}` };
  return firstOf(value, (item, index) => inside(index, checkValue(field.item, item)));
}

function checkObject(field: ObjectField, value: Json, mark?: string): ValueFault | null {
  if (!isObject(value)) return { code: "not_table" };
  const missing = field.properties.find(
    (each) => each.required && at(value, each.name) === undefined,
  );
  if (missing !== undefined) return { code: "missing_property", limit: missing.name };
  return firstOf(entriesOf(value), ([key, each]) => {
    if (key === mark) return null;
    const property = field.properties.find(({ name }) => name === key) ?? field.additional;
    if (property === undefined) return { code: "unknown_property", limit: key };
    return inside(key, checkValue(property, each));
  });
}

function checkUnion(field: UnionField, value: Json): ValueFault | null {
  const option = optionOf(field, value);
  if (option === undefined) return { code: "not_choice" };
  if (option.field.kind !== "object") return checkValue(option.field, value);
  return checkObject(option.field, value, field.discriminator);
}

function inside(key: string | number, fault: ValueFault | null): ValueFault | null {
  return fault === null ? null : { ...fault, at: [key, ...(fault.at ?? [])] };
}

function firstOf<T>(
  items: readonly T[],
  check: (item: T, index: number) => ValueFault | null,
): ValueFault | null {
  for (const [index, item] of items.entries()) {
    const fault = check(item, index);
    if (fault !== null) return fault;
  }
  return null;
}
