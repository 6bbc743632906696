/** The node types that the server tells of. */

import type { TypeName } from "./ids";
import { typeName } from "./ids";
import { isList, isObject, type Json, type JsonObject } from "./json";
import { type Field, fieldFrom } from "./schema";
import { at, entriesOf } from "./tables";
import { ANY, type Kinds, type PortType, readType } from "./types";

export interface Output {
  readonly name: string;
  readonly type: PortType;
}

export interface NodeType {
  readonly name: TypeName;
  readonly version: number;
  readonly category: string;
  readonly summary: string;
  readonly inputs: readonly Field[];
  readonly outputs: readonly Output[];
  /** Delivers files: it runs whenever its workflow does. */
  readonly outputNode: boolean;
  /** "device" for one that computes with a model. */
  readonly lane: string;
  readonly formerly: readonly TypeName[];
}

export interface Catalogue {
  readonly types: ReadonlyMap<TypeName, NodeType>;
  readonly kinds: Kinds;
  readonly digest: string;
}

export const EMPTY_CATALOGUE: Catalogue = { types: new Map(), kinds: new Map(), digest: "" };

/** The catalogue in the answer of `GET /api/v1/nodes`. What has not the form of a type is left out. */
export function catalogueFrom(answer: Json): Catalogue {
  const whole = isObject(answer) ? answer : {};
  const types = new Map<TypeName, NodeType>();
  const kinds = new Map<string, readonly string[]>();
  for (const [name, told] of entriesOf(tableIn(whole, "nodes"))) {
    if (!isObject(told)) continue;
    const type = typeFrom(name, told);
    types.set(type.name, type);
    for (const [kind, bases] of entriesOf(tableIn(told, "kinds"))) {
      kinds.set(kind, [...new Set([...(kinds.get(kind) ?? []), ...textsIn(bases)])]);
    }
  }
  const digest = whole["digest"];
  return { types, kinds, digest: typeof digest === "string" ? digest : "" };
}

/** The type of a name, also of one that it had before. */
export function typeNamed(catalogue: Catalogue, name: TypeName): NodeType | undefined {
  const found = catalogue.types.get(name);
  if (found !== undefined) return found;
  for (const type of catalogue.types.values()) if (type.formerly.includes(name)) return type;
  return undefined;
}

function typeFrom(name: string, told: JsonObject): NodeType {
  const schema = tableIn(told, "inputs");
  const types = tableIn(told, "types");
  const variables = textsIn(told["variables"]);
  const required = textsIn(schema["required"]);
  const lazy = textsIn(told["lazy"]);
  const typeOf = (text: Json | undefined): PortType =>
    typeof text === "string" ? readType(text, variables) : ANY;
  const version = told["version"];
  return {
    name: typeName(name),
    version: typeof version === "number" ? version : 1,
    category: textIn(told, "category"),
    summary: textIn(told, "summary"),
    inputs: entriesOf(tableIn(schema, "properties")).map(([input, each]) =>
      fieldFrom(input, each, {
        definitions: tableIn(schema, "$defs"),
        required: required.includes(input),
        lazy: lazy.includes(input),
        type: typeOf(at(types, input)),
      }),
    ),
    outputs: entriesOf(tableIn(told, "outputs")).map(([output, text]) => ({
      name: output,
      type: typeOf(text),
    })),
    outputNode: told["output_node"] === true,
    lane: textIn(told, "lane"),
    formerly: textsIn(told["formerly"]).map(typeName),
  };
}

function tableIn(table: JsonObject, key: string): JsonObject {
  const value = table[key];
  return isObject(value) ? value : {};
}

function textIn(table: JsonObject, key: string): string {
  const value = table[key];
  return typeof value === "string" ? value : "";
}

function textsIn(value: Json | undefined): string[] {
  return isList(value) ? value.filter((each) => typeof each === "string") : [];
}
