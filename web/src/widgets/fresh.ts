/** The value that a field begins with where one has to be there: a new item, a chosen kind. */

import type { Json } from "../graph/document";
import { float, isList, isObject, numberOf } from "../graph/json";
import type { Field, ObjectField, Option, UnionField } from "../graph/schema";
import { scaleOf } from "./numbers";

export function freshValue(field: Field): Json {
  if (field.default !== undefined) return field.default;
  switch (field.kind) {
    case "number":
      return float(Math.max(0, scaleOf(field, false).least));
    case "integer":
    case "seed":
      return Math.max(0, scaleOf(field, true).least);
    case "boolean":
      return false;
    case "choice":
      return field.choices[0] ?? null;
    case "list":
      return new Array<Json>(field.minItems ?? 0).fill(freshValue(field.item));
    case "object":
      return freshObject(field);
    case "union": {
      const [first] = field.options;
      return first === undefined ? null : freshOption(field, first);
    }
    case "colour":
      return "#000000";
    case "text":
    case "multiline":
    case "file":
    case "image":
      return "";
    case "link":
    case "json":
      return null;
  }
}

function freshObject(field: ObjectField): Json {
  return Object.fromEntries(field.properties.map((each) => [each.name, freshValue(each)]));
}

/** What a union holds once this kind was chosen; values of the same names are kept. */
export function freshOption(union: UnionField, option: Option, before?: Json): Json {
  const fresh = freshValue(option.field);
  if (union.discriminator === undefined || !isObject(fresh)) return fresh;
  const old = isObject(before) ? before : {};
  const kept = Object.entries(fresh).map(([name, value]): [string, Json] => {
    const was = old[name];
    return [name, was !== undefined && typeof was === typeof value ? was : value];
  });
  return { [union.discriminator]: option.tag, ...Object.fromEntries(kept) };
}

/** The option that a value is of. */
export function optionOf(union: UnionField, value: Json | undefined): Option | undefined {
  const { discriminator, options } = union;
  if (discriminator !== undefined) {
    const tag = isObject(value) ? value[discriminator] : undefined;
    return options.find((option) => option.tag === tag);
  }
  return options.find((option) => fits(option.field, value));
}

function fits(field: Field, value: Json | undefined): boolean {
  switch (field.kind) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
    case "seed":
      return typeof value === "bigint" || Number.isInteger(value);
    case "number":
      return numberOf(value) !== null;
    case "list":
      return isList(value);
    case "object":
    case "link":
      return isObject(value);
    case "choice":
      return field.choices.some((choice) => choice === value);
    case "union":
      return optionOf(field, value) !== undefined;
    case "json":
      return value !== undefined;
    case "text":
    case "multiline":
    case "colour":
    case "file":
    case "image":
      return typeof value === "string";
  }
}
