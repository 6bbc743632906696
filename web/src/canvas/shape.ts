/** Where everything of a node is: so wires can be drawn to nodes that are not drawn themselves. */

import type { GraphNode, NodePlace, Value } from "../graph/document";
import { isList, isObject } from "../graph/json";
import type { Field, ObjectField, UnionField } from "../graph/schema";
import { at } from "../graph/tables";
import type { PortType } from "../graph/types";
import { isAxis, linksIn } from "../graph/values";

/** Lengths in pixels, at the scale and density that were chosen. */
export interface Measures {
  readonly scale: number;
  readonly rem: number;
  readonly row: number;
  readonly title: number;
  readonly width: number;
}

export function measuresOf(density: "comfortable" | "compact", scale: number): Measures {
  const rem = 16 * scale;
  return density === "compact"
    ? { scale, rem, row: 1.25 * rem, title: 1.625 * rem, width: 13 * rem }
    : { scale, rem, row: 1.5 * rem, title: 1.75 * rem, width: 15 * rem };
}

export interface PortSpot {
  readonly side: "in" | "out";
  readonly name: string;
  readonly title: string;
  readonly type: PortType;
  /** What the input is drawn as; outputs have none. */
  readonly field: Field | null;
  /** From the node's top to the port's middle. */
  readonly y: number;
  /** How tall its row is. */
  readonly height: number;
}

export interface Shape {
  readonly width: number;
  readonly height: number;
  /** Inputs that take wires only, and outputs: they share rows. */
  readonly links: readonly PortSpot[];
  readonly outputs: readonly PortSpot[];
  /** Inputs with a widget, one below the other. */
  readonly fields: readonly PortSpot[];
  readonly picture: boolean;
}

export interface Ports {
  readonly inputs: readonly Field[];
  readonly outputs: readonly { readonly name: string; readonly type: PortType }[];
}

const PICTURE_ROWS = 7;

/** How many rows a field takes on a node; a wired one says only where its wire comes from. */
export function rowsOf(field: Field, value: Value | undefined, wired: boolean): number {
  if (wired || isAxis(value)) return 1;
  switch (field.kind) {
    case "multiline":
      return 4;
    case "union":
      return 1 + innerRows(field, value ?? field.default);
    case "object":
      return Math.max(1, rowsWithin(field, value ?? field.default));
    case "list":
      return 2 + (isList(value) ? value.length : 0);
    default:
      return 1;
  }
}

function innerRows(field: UnionField, value: Value | undefined): number {
  const { discriminator, options } = field;
  const tag = discriminator !== undefined && isObject(value) ? value[discriminator] : undefined;
  const option = options.find((each) => each.tag === tag)?.field;
  return option?.kind === "object" ? rowsWithin(option, value) : 0;
}

function rowsWithin({ properties }: ObjectField, value: Value | undefined): number {
  const table = isObject(value) ? value : {};
  return properties.reduce((sum, each) => sum + rowsOf(each, at(table, each.name), false), 0);
}

/** How tall a field's row is: what has others within it leaves a gap between them. */
function heightOf(field: Field, rows: number, { row, rem }: Measures): number {
  const isNested = field.kind === "union" || field.kind === "object" || field.kind === "list";
  return rows * row + (isNested ? rows : 1) * 0.25 * rem;
}

export function shapeOf(
  ports: Ports,
  place: NodePlace,
  given: { readonly inputs: GraphNode["inputs"]; readonly picture: boolean },
  measures: Measures,
): Shape {
  const { inputs, picture } = given;
  const { rem, row, title, scale } = measures;
  const pad = 0.25 * rem;
  const plain = ports.inputs.filter((field) => field.kind === "link");
  const valued = ports.inputs.filter((field) => field.kind !== "link");
  const outputTitle = (name: string) => (name === "value" ? "" : name.replaceAll("_", " "));
  const middle = (index: number) => title + pad + row * (index + 0.5);
  const links = plain.map((field, index) => spot("in", field, field.title, middle(index), row));
  const outputs = ports.outputs.map((output, index): PortSpot => {
    const { name, type } = output;
    return {
      side: "out",
      name,
      title: outputTitle(name),
      type,
      field: null,
      y: middle(index),
      height: row,
    };
  });
  let top = title + pad * 2 + row * Math.max(links.length, outputs.length);
  const fields = valued.map((field) => {
    const value = at(inputs, field.name);
    const height = heightOf(field, rowsOf(field, value, linksIn(value).length > 0), measures);
    const found = spot("in", field, field.title, top + (row + pad) / 2, height);
    top += height;
    return found;
  });
  const least = top + (valued.length > 0 ? pad : 0) + (picture ? PICTURE_ROWS * row : 0);
  const width = Math.max((place.width ?? 0) * scale || measures.width, 8 * rem);
  if (place.collapsed === true)
    return folded({ links, outputs, fields, width, picture: false }, title);
  const height = Math.max((place.height ?? 0) * scale, least);
  return { width, height, links, outputs, fields, picture };
}

function spot(side: "in", field: Field, title: string, y: number, height: number): PortSpot {
  return { side, name: field.name, title, type: field.type, field, y, height };
}

/** A collapsed node: every port is at its title. */
function folded(shape: Omit<Shape, "height">, title: number): Shape {
  const at = (port: PortSpot): PortSpot => ({ ...port, y: title / 2 });
  return {
    ...shape,
    height: title,
    links: shape.links.map(at),
    outputs: shape.outputs.map(at),
    fields: shape.fields.map(at),
  };
}

export const portsIn = (shape: Shape): readonly PortSpot[] => [
  ...shape.links,
  ...shape.fields,
  ...shape.outputs,
];
