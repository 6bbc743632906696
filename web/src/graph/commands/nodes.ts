/** Nodes added, removed, replaced, and switched. */

import { type Catalogue, typeNamed } from "../catalogue";
import type { Graph, GraphNode, Mode, Value, Workflow } from "../document";
import { graphAt, nodesOf } from "../graphs";
import {
  freshName,
  type GraphName,
  type GraphPath,
  idLike,
  type NodeId,
  nodeId,
  type TypeName,
} from "../ids";
import { declaredPorts, inputOf, outputOf } from "../ports";
import { at, entriesOf, has, keysOf, mapTable, put } from "../tables";
import { accepts, type PortType } from "../types";
import { isLink } from "../values";
import { changeGraph, isTaken, relinked, withNode, withoutKey, withView } from "./change";
import { movedEnd, movedOutput } from "../ends";
import type { Command } from "./command";
import { placed } from "./places";

export interface NewNode {
  readonly type: TypeName;
  readonly x: number;
  readonly y: number;
  /** What the node shall be called if that is free; else it is made from the type. */
  readonly id?: NodeId;
  /** What a node that stands for a graph names. */
  readonly graph?: GraphName;
  readonly inputs?: { readonly [input: string]: Value };
}

/** The id that `addNode` would give. */
export function freshNodeId(workflow: Workflow, path: GraphPath, like: string): NodeId {
  return nodeId(freshName(idLike(like), isTaken(graphAt(workflow, path))));
}

export function addNode(path: GraphPath, { type, x, y, id, graph, inputs = {} }: NewNode): Command {
  return {
    name: "add_node",
    apply: (workflow, catalogue) =>
      changeGraph(workflow, path, (whole) => {
        const name = nodeId(freshName(id ?? idLike(graph ?? type), isTaken(whole)));
        const version = typeNamed(catalogue, type)?.version ?? 1;
        const node: GraphNode = {
          type,
          version,
          inputs,
          ...(graph === undefined ? {} : { graph }),
        };
        const added = { ...whole, nodes: put(whole.nodes, name, node) };
        return withView(added, (view) => placed(view, name, { x, y }));
      }),
  };
}

/** Take nodes out. What was linked to them is led on to what they had themselves, where that fits. */
export function removeNodes(path: GraphPath, ids: readonly NodeId[]): Command {
  return {
    name: "remove_nodes",
    apply: (workflow, catalogue) =>
      changeGraph(workflow, path, (graph) => {
        const gone = new Set(ids.filter((id) => has(graph.nodes, id)));
        if (gone.size === 0) return graph;
        const follow = (node: NodeId, output: string): readonly [NodeId, string] | undefined =>
          healed(workflow, path, catalogue, gone, [node, output]);
        return withoutNodes(graph, gone, follow);
      }),
  };
}

/** The graph without some nodes; `follow` says where links to them lead instead. */
export function withoutNodes(
  graph: Graph,
  gone: ReadonlySet<NodeId>,
  follow: (node: NodeId, output: string) => readonly [NodeId, string] | undefined,
): Graph {
  return {
    ...graph,
    nodes: mapTable(graph.nodes, (node, id) =>
      gone.has(nodeId(id)) ? undefined : relinked(node, follow),
    ),
    inputs: mapTable(graph.inputs, (end) =>
      movedEnd(end, (each) => (gone.has(each.node) ? undefined : each)),
    ),
    outputs: mapTable(graph.outputs, (end) => movedOutput(end, follow)),
  };
}

type Source = readonly [node: NodeId, output: string];

/** Where a link leads once some nodes are gone: like a bypass, to their first fitting link. */
function healed(
  workflow: Workflow,
  path: GraphPath,
  catalogue: Catalogue,
  gone: ReadonlySet<NodeId>,
  start: Source,
): Source | undefined {
  const seen = new Set<NodeId>();
  let source: Source | undefined = start;
  while (source !== undefined && gone.has(source[0]) && !seen.has(source[0])) {
    seen.add(source[0]);
    source = passedOn(workflow, path, catalogue, source);
  }
  return source !== undefined && gone.has(source[0]) ? undefined : source;
}

/** The first link of a node that is of the type of one of its outputs. */
export function passedOn(
  workflow: Workflow,
  path: GraphPath,
  catalogue: Catalogue,
  [id, output]: Source,
): Source | undefined {
  const node = at(graphAt(workflow, path)?.nodes, id);
  const ports = node && declaredPorts(workflow, path, node, catalogue);
  const wanted = ports && outputOf(ports, output)?.type;
  if (node === undefined || ports === undefined || wanted === undefined) return undefined;
  for (const [name, value] of entriesOf(node.inputs)) {
    const given = inputOf(ports, name)?.type;
    if (isLink(value) && given !== undefined && passes(wanted, given, catalogue))
      return value.$link;
  }
  return undefined;
}

function passes(wanted: PortType, given: PortType, catalogue: Catalogue): boolean {
  if (wanted.kind === "variable") return given.kind === "variable" && given.name === wanted.name;
  return accepts(wanted, given, catalogue.kinds);
}

export function setMode(path: GraphPath, ids: readonly NodeId[], mode: Mode): Command {
  return {
    name: mode === "normal" ? "set_normal" : `set_${mode}`,
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        ids.reduce(
          (changed, id) =>
            withNode(changed, id, (node) => {
              if ((node.mode ?? "normal") === mode) return node;
              return mode === "normal" ? withoutKey(node, "mode") : { ...node, mode };
            }),
          graph,
        ),
      ),
  };
}

/** Mute or bypass the nodes; if all of them are, switch them on again. */
export function toggleMode(
  path: GraphPath,
  ids: readonly NodeId[],
  mode: "mute" | "bypass",
): Command {
  return {
    name: `toggle_${mode}`,
    apply: (workflow, catalogue) => {
      const nodes = graphAt(workflow, path)?.nodes;
      const isAll = ids.every((id) => at(nodes, id)?.mode === mode);
      return setMode(path, ids, isAll ? "normal" : mode).apply(workflow, catalogue);
    },
  };
}

/** Put a node of another type in the place of one; values and wires of the same name or type stay. */
export function replaceNode(path: GraphPath, id: NodeId, type: TypeName): Command {
  return {
    name: "replace_node",
    apply: (workflow, catalogue) =>
      changeGraph(workflow, path, (graph) => {
        const node = at(graph.nodes, id);
        const declared = typeNamed(catalogue, type);
        if (node === undefined || declared === undefined || node.type === type) return graph;
        const old = declaredPorts(workflow, path, node, catalogue);
        const inputs = replacedNames(
          keysOf(node.inputs).map((name) => [name, old && inputOf(old, name)?.type]),
          declared.inputs,
          (wanted, given) => accepts(wanted, given, catalogue.kinds),
        );
        const outputs = replacedNames(
          usedOutputs(graph, id).map((name) => [name, old && outputOf(old, name)?.type]),
          declared.outputs,
          (given, wanted) => accepts(wanted, given, catalogue.kinds),
        );
        const follow = (source: NodeId, output: string): Source | undefined => {
          if (source !== id) return [source, output];
          const next = outputs.get(output);
          return next === undefined ? undefined : [source, next];
        };
        const values = entriesOf(node.inputs).flatMap(([name, value]): [string, Value][] => {
          const next = inputs.get(name);
          return next === undefined ? [] : [[next, value]];
        });
        const { mode } = node;
        const replaced: GraphNode = {
          type: declared.name,
          version: declared.version,
          ...(mode === undefined ? {} : { mode }),
          inputs: Object.fromEntries(values),
        };
        return {
          ...graph,
          nodes: mapTable(graph.nodes, (each, key) =>
            key === id ? replaced : relinked(each, follow),
          ),
          inputs: mapTable(graph.inputs, (end) =>
            movedEnd(end, (each) => {
              if (each.node !== id) return each;
              const next = inputs.get(each.input) ?? sameNamed(declared.inputs, each.input);
              return next === undefined ? undefined : { ...each, input: next };
            }),
          ),
          outputs: mapTable(graph.outputs, (end) => movedOutput(end, follow)),
        };
      }),
  };
}

interface Named {
  readonly name: string;
  readonly type: PortType;
}

/** Which new port each old one becomes: of the same name if it fits, else the first free that does. */
function replacedNames(
  old: readonly (readonly [string, PortType | undefined])[],
  ports: readonly Named[],
  fits: (port: PortType, old: PortType) => boolean,
): Map<string, string> {
  const names = new Map<string, string>();
  const free = new Map(ports.map(({ name, type }) => [name, type]));
  for (const [name, type] of old) {
    const same = free.get(name);
    if (same !== undefined && (type === undefined || fits(same, type))) {
      names.set(name, name);
      free.delete(name);
    }
  }
  for (const [name, type] of old) {
    if (names.has(name) || type === undefined || !isOfKind(type)) continue;
    const found = [...free].find(([, each]) => isOfKind(each) && fits(each, type));
    if (found !== undefined) {
      names.set(name, found[0]);
      free.delete(found[0]);
    }
  }
  return names;
}

const PLAIN = new Set(["int", "float", "str", "bool", "dict", "nothing"]);

/** Whether a type is telling enough to put one port in another's place whatever it is called. */
function isOfKind(type: PortType): boolean {
  if (type.kind === "generic") return type.of.every(isOfKind);
  if (type.kind === "union") return type.of.some(isOfKind);
  return type.kind === "named" && !PLAIN.has(type.name);
}

function sameNamed(ports: readonly Named[], name: string): string | undefined {
  return ports.some((port) => port.name === name) ? name : undefined;
}

function usedOutputs(graph: Graph, id: NodeId): string[] {
  const names = new Set<string>();
  for (const [, node] of nodesOf(graph)) {
    relinked(node, (source, output) => {
      if (source === id) names.add(output);
      return [source, output];
    });
  }
  for (const [, end] of entriesOf(graph.outputs)) if (end.node === id) names.add(end.output);
  return [...names];
}
