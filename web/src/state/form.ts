/** The form: the named inputs of a workflow, as references into its graph. Nothing is converted. */

import type { Catalogue } from "../graph/catalogue";
import { withGraph, graphAt, nodesOf } from "../graph/graphs";
import type { Command } from "../graph/commands/command";
import type { Graph, Value, Workflow } from "../graph/document";
import type { GraphPath } from "../graph/ids";
import { isObject } from "../graph/json";
import { inputOf, portsOf, titleOf } from "../graph/ports";
import type { Field } from "../graph/schema";
import { at, drop, entriesOf, put } from "../graph/tables";
import { isLink } from "../graph/values";
import type { InputPort } from "../graph/wiring";

/** A line of the form. */
export interface FormInput {
  readonly name: string;
  readonly title: string;
  readonly field: Field;
  /** Where the value stands; the first place, if it goes to several. */
  readonly port: InputPort;
  readonly value: Value | undefined;
  /** The heading above it, if one begins here. */
  readonly section: string | undefined;
}

/** The named inputs of a graph, in the order of the document. */
export function formInputs(
  workflow: Workflow,
  path: GraphPath,
  catalogue: Catalogue,
): readonly FormInput[] {
  const graph = graphAt(workflow, path);
  return entriesOf(graph?.inputs).flatMap(([name, { node, input }]) => {
    const field = inputOf(portsOf(workflow, path, node, catalogue), input);
    if (field === undefined) return [];
    const value = at(at(graph?.nodes, node)?.inputs, input);
    const title = name === input ? field.title : titleOf(name);
    const section = sectionOf(graph, name);
    return [{ name, title, field, port: { node, input }, value, section }];
  });
}

/** The model files that the graph loads and the form does not name. */
export function modelInputs(
  workflow: Workflow,
  named: readonly FormInput[],
  catalogue: Catalogue,
): readonly FormInput[] {
  const shown = new Set(named.map(({ port }) => `${port.node} ${port.input}`));
  return nodesOf(workflow).flatMap(([node, { inputs }]) =>
    portsOf(workflow, [], node, catalogue).inputs.flatMap((field) => {
      const value = at(inputs, field.name);
      if (field.kind !== "file" || isLink(value) || shown.has(`${node} ${field.name}`)) return [];
      const port = { node, input: field.name };
      return [{ name: field.name, title: field.title, field, port, value, section: undefined }];
    }),
  );
}

function sectionsIn(graph: Graph | undefined): { readonly [name: string]: Value } {
  const form = graph?.view?.["form"];
  const sections = isObject(form) ? form["sections"] : undefined;
  return isObject(sections) ? sections : {};
}

function sectionOf(graph: Graph | undefined, name: string): string | undefined {
  const title = at(sectionsIn(graph), name);
  return typeof title === "string" ? title : undefined;
}

/** Begin a section of the form with this input; without a title, end its being one. */
export function setSection(path: GraphPath, name: string, title: string | undefined): Command {
  return {
    name: "set_section",
    merge: `section ${JSON.stringify([path, name])}`,
    apply: (workflow) =>
      withGraph(workflow, path, (graph) => {
        const before = sectionsIn(graph);
        const sections = title === undefined ? drop(before, name) : put(before, name, title);
        const form = graph.view?.["form"];
        const rest = isObject(form) ? form : {};
        return { ...graph, view: { ...graph.view, form: { ...rest, sections } } };
      }),
  };
}

/** A width and a height that belong together: their names, and steps that allow for sizes. */
export interface SizePair {
  readonly width: FormInput;
  readonly height: FormInput;
}

/** The pairs among inputs: whole numbers called width and height, of one node, in steps of a grid. */
export function sizePairs(inputs: readonly FormInput[]): readonly SizePair[] {
  return inputs.flatMap((width) => {
    if (width.port.input !== "width" || !isLength(width.field)) return [];
    const height = inputs.find(
      ({ port, field }) =>
        port.node === width.port.node && port.input === "height" && isLength(field),
    );
    return height === undefined ? [] : [{ width, height }];
  });
}

const isLength = (field: Field): boolean =>
  field.kind === "integer" && (field.multipleOf ?? field.step ?? 1) > 1;

export interface Shape {
  readonly code: "square" | "portrait" | "landscape" | "wide";
  readonly width: number;
  readonly height: number;
}

const ratios = [
  ["square", 1],
  ["portrait", 3 / 4],
  ["landscape", 4 / 3],
  ["wide", 16 / 9],
] as const;

/** The usual shapes with as many pixels as a size has, on the grid of its steps. */
export function shapesFor(width: number, height: number, grid: number): readonly Shape[] {
  const side = Math.sqrt(width * height);
  const snapped = (length: number) => Math.max(grid, Math.round(length / grid) * grid);
  return ratios.map(([code, ratio]) => ({
    code,
    width: snapped(side * Math.sqrt(ratio)),
    height: snapped(side / Math.sqrt(ratio)),
  }));
}

/** Which of the shapes a size has, however many pixels. */
export function shapeOf(width: number, height: number): Shape["code"] | null {
  const ratio = width / height;
  const [code, near] = [...ratios].sort(
    ([, a], [, b]) => Math.abs(Math.log(a / ratio)) - Math.abs(Math.log(b / ratio)),
  )[0] ?? ["square", 1];
  return Math.abs(Math.log(near / ratio)) < 0.1 ? code : null;
}
