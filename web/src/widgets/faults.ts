/** What is wrong with a value, in words, with what would do instead. */

import { checkValue } from "../graph/check";
import type { Value } from "../graph/document";
import { numberOf } from "../graph/json";
import type { Field } from "../graph/schema";
import { say } from "../words";

/** The fault of a value as text; undefined if the field takes it. */
export function faultText(field: Field, value: Value | undefined): string | undefined {
  if (value === undefined)
    return field.required && field.kind !== "link" ? say("fault.missing") : undefined;
  const fault = checkValue(field, value);
  if (fault === null) return undefined;
  const remedy = remedyOf(field);
  const text = say(`fault.${fault.code}`, { value: shown(value), limit: fault.limit ?? "" });
  return remedy === "" ? text : `${text} ${remedy}`;
}

function remedyOf(field: Field): string {
  if (field.kind === "choice" && field.choices.length <= 8)
    return say("fault.choices", { choices: field.choices.map((each) => shown(each)).join(", ") });
  if (field.kind !== "number" && field.kind !== "integer") return "";
  const { minimum, maximum } = field;
  if (minimum !== undefined && maximum !== undefined)
    return say("fault.between", { least: minimum, most: maximum });
  return "";
}

function shown(value: Value): string {
  if (typeof value === "string") return value;
  const number = numberOf(value);
  return number === null ? JSON.stringify(value) : String(number);
}
