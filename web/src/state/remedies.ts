/** What the editor can do itself about a problem: a value, a wire or a name that would do. */

import type { Catalogue } from "../graph/catalogue";
import { checkValue, fitted } from "../graph/check";
import { together, type Command } from "../graph/commands/command";
import { clearInput, setInput } from "../graph/commands/inputs";
import { connect } from "../graph/commands/links";
import type { Value, Workflow } from "../graph/document";
import { definitionPath, graphAt, nodeAt } from "../graph/graphs";
import { nodeId, type GraphPath, type NodeId } from "../graph/ids";
import { readJson } from "../graph/json";
import { inputOf, portsOf } from "../graph/ports";
import type { Field } from "../graph/schema";
import { at, has } from "../graph/tables";
import { isAxis, isLink, linksIn } from "../graph/values";
import { canLink, type OutputPort } from "../graph/wiring";
import type { Problem } from "./problems";

export interface Remedy {
  readonly kind: "use" | "connect" | "rename";
  /** The value, the output or the input that would do. */
  readonly name: string;
  readonly command: Command;
}

interface Place {
  readonly path: GraphPath;
  readonly node: NodeId;
  readonly input: string;
}

/** Fields that hold one value which a remedy can replace whole; in a text it may be but a part. */
const REPLACED: ReadonlySet<Field["kind"]> = new Set([
  "number",
  "integer",
  "seed",
  "boolean",
  "choice",
  "colour",
  "file",
  "image",
]);

/** The remedy of a problem in the document as it is; null where its hint is only to be read. */
export function remedyOf(
  workflow: Workflow,
  catalogue: Catalogue,
  { code, node, input, hint }: Problem,
): Remedy | null {
  if (node === undefined || input === undefined || hint === undefined) return null;
  const place = placeOf(workflow, node, input);
  if (place === null) return null;
  switch (code) {
    case "missing_input":
    case "unknown_link":
    case "wrong_link":
      return wire(workflow, catalogue, place, hint);
    case "unknown_input":
      return rename(workflow, catalogue, place, hint);
    default:
      return value(workflow, catalogue, place, hint);
  }
}

/** The graph and the node that an address means; null if they are not there any more. */
function placeOf(workflow: Workflow, address: string, input: string): Place | null {
  const outer = address.split("/").map(nodeId);
  const node = outer.pop();
  const path = outer.reduce<GraphPath | undefined>((within, id) => {
    const name = within && nodeAt(workflow, within, id)?.graph;
    return within && definitionPath(workflow, within, name);
  }, []);
  if (node === undefined || path === undefined) return null;
  return nodeAt(workflow, path, node) === undefined ? null : { path, node, input };
}

function value(
  workflow: Workflow,
  catalogue: Catalogue,
  { path, node, input }: Place,
  hint: string,
): Remedy | null {
  const field = inputOf(portsOf(workflow, path, node, catalogue), input);
  const old = at(nodeAt(workflow, path, node)?.inputs, input);
  if (field === undefined || !REPLACED.has(field.kind)) return null;
  if (old !== undefined && (isAxis(old) || linksIn(old).length > 0)) return null;
  const given = fitted(field, isNamed(field, hint) ? hint : valueOf(hint));
  if (checkValue(field, given) !== null) return null;
  return { kind: "use", name: hint, command: setInput(path, node, input, given) };
}

/** Whether a hint is the value as it is, even where it reads like a number. */
const isNamed = (field: Field, hint: string): boolean =>
  field.kind === "file" ||
  field.kind === "image" ||
  field.kind === "colour" ||
  (field.kind === "choice" && field.choices.includes(hint));

/** A remedy as a value: JSON if it is some, else the text itself. */
function valueOf(hint: string): Value {
  try {
    return readJson(hint);
  } catch {
    return hint;
  }
}

/** A wire from the output that a hint names, if it fits. */
function wire(
  workflow: Workflow,
  catalogue: Catalogue,
  { path, node, input }: Place,
  hint: string,
): Remedy | null {
  const to = { node, input };
  const old = at(nodeAt(workflow, path, node)?.inputs, input);
  const from = [...outputsIn(workflow, path, hint), ...nearLink(old, hint)].find(
    (each) => canLink(workflow, path, catalogue, each, to).ok,
  );
  if (from === undefined) return null;
  const name = `${from.node}.${from.output}`;
  return { kind: "connect", name, command: connect(path, from, to) };
}

/** The outputs that `node.output` may mean; both of them may have dots, and nodes be within others. */
function outputsIn(workflow: Workflow, path: GraphPath, hint: string): OutputPort[] {
  const nodes = graphAt(workflow, path)?.nodes;
  return [...hint.matchAll(/\./g)].flatMap(({ index }) => {
    const id = hint.slice(0, index).split("/").at(-1) ?? "";
    return has(nodes, id) ? [{ node: nodeId(id), output: hint.slice(index + 1) }] : [];
  });
}

/** A broken link with the node, or the output, that its hint names. */
function nearLink(old: Value | undefined, hint: string): OutputPort[] {
  if (!isLink(old)) return [];
  const [node, output] = old.$link;
  return [
    { node, output: hint },
    { node: nodeId(hint.split("/").at(-1) ?? ""), output },
  ];
}

/** The value of an input that there is none of, given to the one that is meant. */
function rename(
  workflow: Workflow,
  catalogue: Catalogue,
  { path, node, input }: Place,
  hint: string,
): Remedy | null {
  const old = at(nodeAt(workflow, path, node)?.inputs, input);
  const isFree = at(nodeAt(workflow, path, node)?.inputs, hint) === undefined;
  const meant = inputOf(portsOf(workflow, path, node, catalogue), hint);
  if (old === undefined || !isFree || meant === undefined) return null;
  const command = together(
    "set_input",
    clearInput(path, node, input),
    setInput(path, node, hint, old),
  );
  return { kind: "rename", name: hint, command };
}
