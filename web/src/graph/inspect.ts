/** What can be told to be wrong with a workflow without asking the server. */

import type { Catalogue } from "./catalogue";
import { checkValue, type ValueFault } from "./check";
import type { Graph, Value, Workflow } from "./document";
import { graphAt, graphPaths, nodesOf } from "./graphs";
import type { GraphPath, NodeId } from "./ids";
import { isObject } from "./json";
import { inputOf, outputOf, standsForGraph } from "./ports";
import type { Field } from "./schema";
import { at, entriesOf, has } from "./tables";
import { typeText } from "./types";
import { isLink, linksIn } from "./values";
import { Wiring } from "./wiring";
import { placesOf } from "./ends";

export type ProblemCode =
  | ValueFault["code"]
  | "unknown_type"
  | "unknown_graph"
  | "unknown_input"
  | "missing_input"
  | "unknown_link"
  | "wrong_link"
  | "cycle"
  | "dangling_input"
  | "dangling_output";

/** One thing that is wrong, with the place to mark and what its words need. */
export interface LocalProblem {
  readonly code: ProblemCode;
  readonly path: GraphPath;
  readonly node: NodeId | undefined;
  /** The input, or the named input or output. */
  readonly name: string | undefined;
  readonly detail: { readonly [key: string]: string };
}

/** Every problem of every graph; graphs that no node stands for are looked at too. */
export function inspect(workflow: Workflow, catalogue: Catalogue): LocalProblem[] {
  return graphPaths(workflow).flatMap((path) =>
    new Inspection(workflow, path, catalogue).problems(),
  );
}

class Inspection {
  private readonly graph: Graph | undefined;
  private readonly wiring: Wiring;
  private readonly found: LocalProblem[] = [];
  private readonly promoted = new Set<string>();

  constructor(
    workflow: Workflow,
    private readonly path: GraphPath,
    catalogue: Catalogue,
  ) {
    this.graph = graphAt(workflow, path);
    this.wiring = new Wiring(workflow, path, catalogue);
    if (path.length === 0) return;
    for (const [, end] of entriesOf(this.graph?.inputs)) {
      for (const { node, input } of placesOf(end)) this.promoted.add(JSON.stringify([node, input]));
    }
  }

  problems(): LocalProblem[] {
    for (const [id, node] of nodesOf(this.graph)) {
      if (node.mode !== "mute") this.node(id);
    }
    for (const [name, end] of entriesOf(this.graph?.inputs)) {
      if (placesOf(end).some(({ node }) => !has(this.graph?.nodes, node))) {
        this.wrong("dangling_input", undefined, name, { node: end.node });
      }
    }
    for (const [name, end] of entriesOf(this.graph?.outputs)) {
      const isThere = has(this.graph?.nodes, end.node);
      const ports = this.wiring.portsOf(end.node);
      if (!isThere || (ports.known && outputOf(ports, end.output) === undefined)) {
        this.wrong("dangling_output", undefined, name, { node: end.node });
      }
    }
    return this.found;
  }

  private node(id: NodeId): void {
    const node = at(this.graph?.nodes, id);
    const ports = this.wiring.portsOf(id);
    if (node === undefined) return;
    if (!ports.known) {
      const isFile = node.graph?.endsWith(".json") === true;
      if (!standsForGraph(node.type))
        this.wrong("unknown_type", id, undefined, { type: node.type });
      else if (!isFile) this.wrong("unknown_graph", id, undefined, { graph: node.graph ?? "" });
    }
    for (const [name, value] of entriesOf(node.inputs)) {
      const field = inputOf(ports, name);
      this.links(id, name, value);
      if (field !== undefined) this.value(id, field, value);
      else if (ports.known) this.wrong("unknown_input", id, name, {});
    }
    for (const field of ports.inputs) {
      const isGiven = has(node.inputs, field.name) || !field.required || !ports.known;
      const isOuter = this.promoted.has(JSON.stringify([id, field.name]));
      if (!isGiven && !isOuter && node.mode !== "bypass")
        this.wrong("missing_input", id, field.name, {});
    }
  }

  private value(id: NodeId, field: Field, value: Value): void {
    const fault = checkValue(field, value);
    if (fault === null) return;
    const { code, limit = "", at: inside = [] } = fault;
    this.wrong(code, id, field.name, { limit, inside: inside.join(".") });
  }

  private links(id: NodeId, name: string, value: Value): void {
    for (const { $link } of linksIn(value)) {
      const [source, output] = $link;
      const ports = this.wiring.portsOf(source);
      if (
        !has(this.graph?.nodes, source) ||
        (ports.known && outputOf(ports, output) === undefined)
      ) {
        this.wrong("unknown_link", id, name, { source, output });
        continue;
      }
      const answer = this.wiring.canLink({ node: source, output }, { node: id, input: name });
      if (answer.ok && (answer.as === "whole" || !isLink(value))) continue;
      if (!answer.ok && (answer.reason === "cycle" || answer.reason === "self")) {
        this.wrong("cycle", id, name, { source });
      } else if (this.isPlainWrong(value) && (answer.ok || answer.reason === "type")) {
        const wanted = typeText(this.wiring.inputType({ node: id, input: name }));
        const given = typeText(this.wiring.outputType({ node: source, output }));
        this.wrong("wrong_link", id, name, { wanted, given });
      }
    }
  }

  /** Whether a link is judged by the input's type: within tables of a field's own, the server judges. */
  private isPlainWrong(value: Value): boolean {
    return !isObject(value) || isLink(value);
  }

  private wrong(
    code: ProblemCode,
    node: NodeId | undefined,
    name: string | undefined,
    detail: LocalProblem["detail"],
  ): void {
    this.found.push({ code, path: this.path, node, name, detail });
  }
}
