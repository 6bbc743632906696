/** Wires of a graph: what leads where, and which new wire may be drawn. */

import type { Catalogue } from "./catalogue";
import type { Graph, Workflow } from "./document";
import { graphAt, nodesOf } from "./graphs";
import type { GraphPath, NodeId } from "./ids";
import { inputOf, outputOf, type Ports, portsOf } from "./ports";
import { at, entriesOf } from "./tables";
import {
  accepts,
  ANY,
  type Bindings,
  bound,
  elementOf,
  literalType,
  type PortType,
  typeText,
} from "./types";
import { isLink, linksIn } from "./values";

export interface OutputPort {
  readonly node: NodeId;
  readonly output: string;
}

export interface InputPort {
  readonly node: NodeId;
  readonly input: string;
}

export interface Wire {
  readonly from: OutputPort;
  readonly to: InputPort;
  /** Which of the input's links it is: 0, where the input is one link. */
  readonly index: number;
}

/** `whole` becomes the input's value; `item` joins the list or table that stands there. */
export type LinkAnswer =
  | { readonly ok: true; readonly as: "whole" | "item" }
  | {
      readonly ok: false;
      readonly reason: "type" | "cycle" | "self" | "absent";
      /** For words: what the input takes, and what the output gives. */
      readonly wanted: string;
      readonly given: string;
    };

/** Every wire of a graph, in the order of its nodes and their inputs. */
export function wiresOf(graph: Graph | undefined): Wire[] {
  return nodesOf(graph).flatMap(([node, { inputs }]) =>
    entriesOf(inputs).flatMap(([input, value]) =>
      linksIn(value).map((link, index) => ({
        from: { node: link.$link[0], output: link.$link[1] },
        to: { node, input },
        index,
      })),
    ),
  );
}

export function sourcesOf(graph: Graph | undefined, id: NodeId): NodeId[] {
  return [...new Set(linksIn(at(graph?.nodes, id)?.inputs).map((link) => link.$link[0]))];
}

/** The nodes that a node depends on, at any distance, or those that depend on it. */
export function upstream(graph: Graph | undefined, starts: readonly NodeId[]): Set<NodeId> {
  return reached(starts, (id) => sourcesOf(graph, id));
}

export function downstream(graph: Graph | undefined, starts: readonly NodeId[]): Set<NodeId> {
  const followers = new Map<NodeId, NodeId[]>();
  for (const { from, to } of wiresOf(graph)) {
    followers.set(from.node, [...(followers.get(from.node) ?? []), to.node]);
  }
  return reached(starts, (id) => followers.get(id) ?? []);
}

function reached(starts: readonly NodeId[], next: (id: NodeId) => readonly NodeId[]): Set<NodeId> {
  const found = new Set<NodeId>();
  const waiting = [...starts];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (const each of next(id)) {
      if (!found.has(each)) {
        found.add(each);
        waiting.push(each);
      }
    }
  }
  return found;
}

/** Answers which wires fit into one graph; made once for a drag, it remembers what it found. */
export class Wiring {
  private readonly graph: Graph | undefined;
  private readonly ports = new Map<NodeId, Ports>();
  private readonly given = new Map<string, PortType>();
  private readonly behind = new Map<NodeId, Set<NodeId>>();

  constructor(
    private readonly workflow: Workflow,
    private readonly path: GraphPath,
    private readonly catalogue: Catalogue,
  ) {
    this.graph = graphAt(workflow, path);
  }

  portsOf(id: NodeId): Ports {
    const found = this.ports.get(id) ?? portsOf(this.workflow, this.path, id, this.catalogue);
    this.ports.set(id, found);
    return found;
  }

  /** What an output gives, with type variables followed to what is linked to its node. */
  outputType({ node, output }: OutputPort): PortType {
    const key = JSON.stringify([node, output]);
    const known = this.given.get(key);
    if (known !== undefined) return known;
    this.given.set(key, ANY); // for a node on a cycle
    const type = outputOf(this.portsOf(node), output)?.type ?? ANY;
    const found = hasVariable(type) ? bound(type, this.bindings(node)) : type;
    this.given.set(key, found);
    return found;
  }

  /** What an input takes, with type variables bound by the node's other inputs. */
  inputType({ node, input }: InputPort): PortType {
    const type = inputOf(this.portsOf(node), input)?.type ?? ANY;
    return hasVariable(type) ? bound(type, this.bindings(node, input)) : type;
  }

  canLink(from: OutputPort, to: InputPort): LinkAnswer {
    const field = inputOf(this.portsOf(to.node), to.input);
    const given = this.outputType(from);
    const refuse = (reason: "type" | "cycle" | "self" | "absent"): LinkAnswer => ({
      ok: false,
      reason,
      wanted: typeText(this.inputType(to)),
      given: typeText(given),
    });
    if (field === undefined || at(this.graph?.nodes, from.node) === undefined)
      return refuse("absent");
    if (from.node === to.node) return refuse("self");
    if (this.upstreamOf(from.node).has(to.node)) return refuse("cycle");
    const as = fitting(field.type, given, this.catalogue, this.bindings(to.node, to.input));
    return as === undefined ? refuse("type") : { ok: true, as };
  }

  private upstreamOf(id: NodeId): Set<NodeId> {
    const found = this.behind.get(id) ?? upstream(this.graph, [id]);
    this.behind.set(id, found);
    return found;
  }

  /** What the inputs of a node, but for one, say of its type variables. */
  private bindings(id: NodeId, except?: string): Bindings {
    const bindings: Bindings = new Map();
    const node = at(this.graph?.nodes, id);
    for (const field of this.portsOf(id).inputs) {
      const value = at(node?.inputs, field.name);
      if (field.name === except || value === undefined || !hasVariable(field.type)) continue;
      if (isLink(value)) {
        const [source, output] = value.$link;
        const given = this.outputType({ node: source, output });
        if (given.kind !== "any") accepts(field.type, given, this.catalogue.kinds, bindings);
        continue;
      }
      const element = elementOf(field.type) ?? ANY;
      const links = linksIn(value);
      for (const { $link } of links) {
        const given = this.outputType({ node: $link[0], output: $link[1] });
        if (given.kind !== "any") accepts(element, given, this.catalogue.kinds, bindings);
      }
      if (links.length === 0)
        accepts(field.type, literalType(value), this.catalogue.kinds, bindings);
    }
    return bindings;
  }
}

/** How a value goes into an input of a type: whole, as an item of a list or table, or not at all. */
export function fitting(
  wanted: PortType,
  given: PortType,
  catalogue: Catalogue,
  bindings: Bindings = new Map(),
): "whole" | "item" | undefined {
  if (accepts(wanted, given, catalogue.kinds, new Map(bindings))) return "whole";
  const element = elementOf(wanted);
  if (element === undefined) return undefined;
  return accepts(element, given, catalogue.kinds, new Map(bindings)) ? "item" : undefined;
}

/** Whether one wire may be drawn; for many at once make a `Wiring`. */
export function canLink(
  workflow: Workflow,
  path: GraphPath,
  catalogue: Catalogue,
  from: OutputPort,
  to: InputPort,
): LinkAnswer {
  return new Wiring(workflow, path, catalogue).canLink(from, to);
}

function hasVariable(type: PortType): boolean {
  if (type.kind === "variable") return true;
  return (type.kind === "generic" || type.kind === "union") && type.of.some(hasVariable);
}
