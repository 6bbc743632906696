/** JSON Schema of an input as a field: what a widget needs to draw and check it. */

import { isList, isObject, type Json, type JsonObject, numberOf } from "./json";
import { at, drop, entriesOf } from "./tables";
import { ANY, elementOf, type PortType } from "./types";

interface Common {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly required: boolean;
  /** What counts if nothing is given; undefined for a required input. */
  readonly default: Json | undefined;
  /** Whether null is a value too. */
  readonly nullable: boolean;
  /** Whether the node asks for it only when it needs it. */
  readonly lazy: boolean;
  readonly type: PortType;
  /** Hints of the schema that are not known here, such as a widget of a later version. */
  readonly hints: JsonObject;
}

export interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  /** As a bigint where a number cannot hold it, as for seeds. */
  readonly exclusiveMaximum?: number | bigint;
  readonly multipleOf?: number;
  readonly step?: number;
}

interface Text {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

export interface Option {
  /** The value of the discriminator, or the option's type. */
  readonly tag: string;
  readonly title: string;
  readonly description: string;
  readonly field: Field;
}

export type NumberField = Common & Bounds & { readonly kind: "number" | "integer" | "seed" };
export type TextField = Common & Text & { readonly kind: "text" | "multiline" | "colour" };
/** The name of a file: `files` is the kind of files to choose from. */
export type FileField = Common & Text & { readonly kind: "file" | "image"; readonly files: string };
export type ChoiceField = Common & { readonly kind: "choice"; readonly choices: readonly Json[] };
export type ListField = Common & {
  readonly kind: "list";
  readonly item: Field;
  readonly minItems?: number;
  readonly maxItems?: number;
};
/** One of several forms; `discriminator` names the property that tells which. */
export type UnionField = Common & {
  readonly kind: "union";
  readonly discriminator: string | undefined;
  readonly options: readonly Option[];
};
/** A table: known properties, and further ones of a kind if `additional` is there. */
export type ObjectField = Common & {
  readonly kind: "object";
  readonly properties: readonly Field[];
  readonly additional: Field | undefined;
};
/** `link` takes a wire and nothing else; `json` is whatever JSON can carry. */
export type PlainField = Common & { readonly kind: "boolean" | "link" | "json" };

export type Field =
  | NumberField
  | TextField
  | FileField
  | ChoiceField
  | ListField
  | UnionField
  | ObjectField
  | PlainField;

const KNOWN = new Set(
  `title description default type link enum const anyOf oneOf discriminator items properties
  additionalProperties required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf step
  minLength maxLength pattern minItems maxItems widget files $ref`.split(/\s+/),
);

export interface FieldContext {
  readonly definitions: JsonObject;
  readonly required: boolean;
  readonly lazy?: boolean;
  readonly type?: PortType;
}

/** The field of one property of a JSON Schema. */
export function fieldFrom(name: string, schema: Json | undefined, context: FieldContext): Field {
  return new SchemaReader(context.definitions).field(name, schema, context);
}

class SchemaReader {
  constructor(
    private readonly definitions: JsonObject,
    private readonly depth = 0,
  ) {}

  field(name: string, given: Json | undefined, context: Omit<FieldContext, "definitions">): Field {
    const whole = this.resolved(given);
    const { schema, nullable } = this.withoutNull(whole);
    const common: Common = {
      name,
      title: textOf(whole["title"]) ?? textOf(schema["title"]) ?? name,
      description: textOf(whole["description"]) ?? textOf(schema["description"]) ?? "",
      required: context.required,
      default: context.required ? undefined : whole["default"],
      nullable,
      lazy: context.lazy ?? false,
      type: context.type ?? ANY,
      hints: Object.fromEntries(entriesOf(schema).filter(([key]) => !KNOWN.has(key))),
    };
    if (this.depth > 20) return { ...common, kind: "json" };
    return this.kind(common, schema);
  }

  private kind(common: Common, schema: JsonObject): Field {
    const choices =
      schema["enum"] ?? (schema["const"] === undefined ? undefined : [schema["const"]]);
    if (typeof schema["link"] === "string") return { ...common, kind: "link" };
    if (isList(choices)) return { ...common, kind: "choice", choices };
    const options = schema["oneOf"] ?? schema["anyOf"];
    if (isList(options)) return this.union(common, schema, options);
    switch (schema["type"]) {
      case "string":
        return textField(common, schema);
      case "boolean":
        return { ...common, kind: "boolean" };
      case "integer":
        return {
          ...common,
          ...bounds(schema),
          kind: schema["widget"] === "seed" ? "seed" : "integer",
        };
      case "number":
        return { ...common, ...bounds(schema), kind: "number" };
      case "array":
        return this.list(common, schema);
      case "object":
        return this.object(common, schema);
      default:
        return { ...common, kind: "json" };
    }
  }

  private list(common: Common, schema: JsonObject): Field {
    const type = elementOf(common.type) ?? ANY;
    return {
      ...common,
      kind: "list",
      item: this.inner().field("", schema["items"], { required: true, type }),
      ...numbers(schema, "minItems", "maxItems"),
    };
  }

  private object(common: Common, schema: JsonObject): Field {
    const properties = schema["properties"];
    const required = namesIn(schema["required"]);
    const additional = schema["additionalProperties"] ?? properties === undefined;
    const type = elementOf(common.type) ?? ANY;
    const rest = additional === true ? {} : additional;
    return {
      ...common,
      kind: "object",
      properties: isObject(properties)
        ? entriesOf(properties).map(([name, each]) =>
            this.inner().field(name, each, { required: required.includes(name) }),
          )
        : [],
      additional: isObject(rest)
        ? this.inner().field("", rest, { required: true, type })
        : undefined,
    };
  }

  private union(common: Common, schema: JsonObject, options: readonly Json[]): Field {
    const told = schema["discriminator"];
    const discriminator = isObject(told) ? textOf(told["propertyName"]) : undefined;
    return {
      ...common,
      kind: "union",
      discriminator,
      options: options.map((option) => this.option(option, discriminator)),
    };
  }

  private option(given: Json, discriminator: string | undefined): Option {
    const schema = this.resolved(given);
    const field = this.inner().field("", schema, { required: true });
    const properties = isObject(schema["properties"]) ? schema["properties"] : {};
    const mark =
      discriminator === undefined ? undefined : this.resolved(at(properties, discriminator));
    const tag =
      textOf(mark?.["const"]) ?? textOf(schema["type"]) ?? textOf(schema["link"]) ?? field.kind;
    const shown =
      field.kind === "object"
        ? { ...field, properties: field.properties.filter((each) => each.name !== discriminator) }
        : field;
    return {
      tag,
      title: textOf(schema["title"]) ?? tag,
      description: field.description,
      field: shown,
    };
  }

  private withoutNull(schema: JsonObject): { schema: JsonObject; nullable: boolean } {
    const options = schema["anyOf"];
    if (!isList(options)) return { schema, nullable: schema["type"] === "null" };
    const others = options.filter((option) => this.resolved(option)["type"] !== "null");
    const nullable = others.length < options.length;
    const [only] = others;
    if (!nullable) return { schema, nullable };
    const rest = Object.fromEntries(entriesOf(schema).filter(([key]) => key !== "anyOf"));
    if (others.length !== 1) return { schema: { ...rest, anyOf: others }, nullable };
    return { schema: { ...this.resolved(only), ...rest }, nullable };
  }

  private resolved(schema: Json | undefined): JsonObject {
    if (!isObject(schema)) return {};
    const reference = textOf(schema["$ref"]);
    if (reference === undefined || this.depth > 20) return schema;
    const found = at(this.definitions, reference.replace(/^#\/\$defs\//, ""));
    return { ...this.inner().resolved(found), ...drop(schema, "$ref") };
  }

  private inner(): SchemaReader {
    return new SchemaReader(this.definitions, this.depth + 1);
  }
}

function textField(common: Common, schema: JsonObject): Field {
  const limits: Text = {
    ...numbers(schema, "minLength", "maxLength"),
    ...(typeof schema["pattern"] === "string" ? { pattern: schema["pattern"] } : {}),
  };
  const files = textOf(schema["files"]);
  if (files !== undefined) {
    return { ...common, ...limits, kind: files === "images" ? "image" : "file", files };
  }
  const widget = schema["widget"];
  return {
    ...common,
    ...limits,
    kind: widget === "multiline" || widget === "colour" ? widget : "text",
  };
}

function bounds(schema: JsonObject): Bounds {
  const end = schema["exclusiveMaximum"];
  return {
    ...numbers(
      schema,
      "minimum",
      "maximum",
      "exclusiveMinimum",
      "exclusiveMaximum",
      "multipleOf",
      "step",
    ),
    ...(typeof end === "bigint" ? { exclusiveMaximum: end } : {}),
  };
}

function numbers<Key extends string>(
  schema: JsonObject,
  ...keys: readonly Key[]
): { [K in Key]?: number } {
  const found: { [K in Key]?: number } = {};
  for (const key of keys) {
    const value = numberOf(schema[key]);
    if (value !== null) found[key] = value;
  }
  return found;
}

function namesIn(value: Json | undefined): string[] {
  return isList(value) ? value.filter((name) => typeof name === "string") : [];
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
