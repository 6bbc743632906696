/** What a node takes and gives: as its type says, or as the graph says that it stands for. */

import { type Catalogue, type NodeType, type Output, typeNamed } from "./catalogue";
import type { Graph, GraphNode, Workflow } from "./document";
import { definitionPath, graphAt, nodesOf } from "./graphs";
import { type GraphPath, type NodeId, type TypeName, typeName } from "./ids";
import type { Field } from "./schema";
import { at, entriesOf, keysOf } from "./tables";
import { ANY, type PortType } from "./types";
import { linksIn } from "./values";

/** The names by which nodes stand for a graph: part of the document's format, no node types. */
export const SUBGRAPH = typeName("Subgraph");
export const MAP = typeName("Map");
export const LOOP = typeName("Loop");

export interface Ports {
  readonly inputs: readonly Field[];
  readonly outputs: readonly Output[];
  /** Whether type and graph are there; else the ports are what the document itself shows of them. */
  readonly known: boolean;
}

const MAX_DEPTH = 100;

/** Whether nodes of this type stand for a graph that they name by `graph`. */
export function standsForGraph(type: TypeName): boolean {
  return type === SUBGRAPH || type === MAP || type === LOOP;
}

export function portsOf(
  workflow: Workflow,
  path: GraphPath,
  id: NodeId,
  catalogue: Catalogue,
): Ports {
  const graph = graphAt(workflow, path);
  const node = at(graph?.nodes, id);
  if (graph === undefined || node === undefined) return { inputs: [], outputs: [], known: false };
  return declaredPorts(workflow, path, node, catalogue) ?? shownPorts(graph, id, node);
}

/** The ports that a type or a graph declares; undefined if it is not there. */
export function declaredPorts(
  workflow: Workflow,
  path: GraphPath,
  node: GraphNode,
  catalogue: Catalogue,
): Ports | undefined {
  if (!standsForGraph(node.type)) {
    const type = typeNamed(catalogue, node.type);
    return type === undefined ? undefined : portsOfType(type);
  }
  const definition = definitionPath(workflow, path, node.graph);
  if (definition === undefined) return undefined;
  return new GraphPorts(workflow, catalogue).of(definition, node);
}

const typePorts = new WeakMap<NodeType, Ports>();

export function portsOfType(type: NodeType): Ports {
  const found = typePorts.get(type);
  if (found !== undefined) return found;
  const ports = { inputs: type.inputs, outputs: type.outputs, known: true };
  typePorts.set(type, ports);
  return ports;
}

export function inputOf(ports: Ports, name: string): Field | undefined {
  return ports.inputs.find((field) => field.name === name);
}

export function outputOf(ports: Ports, name: string): Output | undefined {
  return ports.outputs.find((output) => output.name === name);
}

class GraphPorts {
  private readonly open = new Set<Graph>();

  constructor(
    private readonly workflow: Workflow,
    private readonly catalogue: Catalogue,
  ) {}

  of(definition: GraphPath, node: GraphNode, depth = 0): Ports {
    const { inputs, outputs, known } = this.named(definition, depth);
    if (node.type === MAP) {
      const each = namesIn(node["each"]);
      return {
        known,
        inputs: inputs.map((field) => (each.includes(field.name) ? listed(field) : field)),
        outputs: outputs.map(({ name, type }) => ({
          name,
          type: { kind: "generic", name: "Grid", of: [type] },
        })),
      };
    }
    const isRepeated = node.type === LOOP && !inputs.some((field) => field.name === TIMES.name);
    return { known, outputs, inputs: isRepeated ? [...inputs, TIMES] : inputs };
  }

  named(definition: GraphPath, depth: number): Ports {
    const graph = graphAt(this.workflow, definition);
    if (graph === undefined || depth > MAX_DEPTH || this.open.has(graph)) {
      return { inputs: [], outputs: [], known: false };
    }
    this.open.add(graph);
    const portsWithin = (id: NodeId): Ports | undefined =>
      this.within(graph, definition, id, depth);
    const inputs = entriesOf(graph.inputs).flatMap(([name, end]): Field[] => {
      const node = at(graph.nodes, end.node);
      const ports = portsWithin(end.node);
      const field = ports === undefined ? undefined : inputOf(ports, end.input);
      return field === undefined ? [] : [promoted(name, field, at(node?.inputs, end.input))];
    });
    const outputs = entriesOf(graph.outputs).map(([name, end]): Output => {
      const ports = portsWithin(end.node);
      const output = ports === undefined ? undefined : outputOf(ports, end.output);
      return { name, type: output?.type ?? ANY };
    });
    this.open.delete(graph);
    return { inputs, outputs, known: true };
  }

  private within(graph: Graph, path: GraphPath, id: NodeId, depth: number): Ports | undefined {
    const node = at(graph.nodes, id);
    if (node === undefined) return undefined;
    if (!standsForGraph(node.type)) {
      const type = typeNamed(this.catalogue, node.type);
      return type === undefined ? shownPorts(graph, id, node) : portsOfType(type);
    }
    const definition = definitionPath(this.workflow, path, node.graph);
    return definition === undefined
      ? shownPorts(graph, id, node)
      : this.of(definition, node, depth + 1);
  }
}

/** The inner input under the outer name; what stands inside is its default. */
function promoted(name: string, field: Field, inside: Field["default"]): Field {
  const title = field.name === name ? field.title : titleOf(name);
  return inside === undefined
    ? { ...field, name, title }
    : { ...field, name, title, default: inside, required: false };
}

function listed(field: Field): Field {
  const { name, title, description, hints } = field;
  const type: PortType = { kind: "generic", name: "list", of: [field.type] };
  const common = { name, title, description, hints, type, nullable: false, lazy: false };
  return {
    ...common,
    kind: "list",
    item: { ...field, name: "" },
    required: true,
    default: undefined,
  };
}

const TIMES: Field = {
  kind: "integer",
  name: "times",
  title: "Times",
  description: "How many laps; with an end condition, the most that it may take",
  required: false,
  default: undefined,
  nullable: false,
  lazy: false,
  type: { kind: "named", name: "int" },
  hints: {},
  minimum: 1,
  maximum: 1_000_000,
};

/** The ports of a node of unknown type: the inputs that it has, and the outputs that are linked to. */
function shownPorts(graph: Graph, id: NodeId, node: GraphNode): Ports {
  const outputs = new Set<string>();
  for (const [, other] of nodesOf(graph)) {
    for (const link of linksIn(other.inputs)) if (link.$link[0] === id) outputs.add(link.$link[1]);
  }
  for (const [, end] of entriesOf(graph.outputs)) if (end.node === id) outputs.add(end.output);
  return {
    inputs: keysOf(node.inputs).map(openField),
    outputs: [...outputs].map((name) => ({ name, type: ANY })),
    known: false,
  };
}

function openField(name: string): Field {
  return {
    kind: "json",
    name,
    title: titleOf(name),
    description: "",
    required: false,
    default: undefined,
    nullable: true,
    lazy: false,
    type: ANY,
    hints: {},
  };
}

/** A name as a title: `guidance_scale` is `Guidance Scale`. */
export function titleOf(name: string): string {
  return name.replace(/_+/g, " ").replace(/(^|\s)\p{Ll}/gu, (letter) => letter.toUpperCase());
}

function namesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}
