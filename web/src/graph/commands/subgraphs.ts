/** Nodes made a graph of their own, and such a graph taken apart again. */

import type { Graph, GraphNode, InputEnd, OutputEnd, Value, View, Workflow } from "../document";
import { definitionPath, graphAt, instancesOf, nodesOf, withGraph } from "../graphs";
import { freshName, graphName, type GraphPath, idLike, type NodeId, nodeId } from "../ids";
import { SUBGRAPH } from "../ports";
import { namesInScope, settled, withGraphNamed, withoutSubgraph, withSubgraphs } from "../scopes";
import { at, drop, entriesOf, has, keysOf, mapTable, put, type Table, tableOf } from "../tables";
import { isLink, linksIn } from "../values";
import { placeOf } from "../view";
import { downstream, upstream } from "../wiring";
import { changeGraph, isTaken, relinked } from "./change";
import { endOf, movedOutput, placesOf } from "../ends";
import type { Command } from "./command";
import { placed } from "./places";

export type Refusal = "nothing" | "cycle" | "mixed_list" | "not_a_subgraph" | "bypassed";

/** Why nodes cannot become a graph of their own; null if they can. */
export function whyNoSubgraph(graph: Graph | undefined, ids: readonly NodeId[]): Refusal | null {
  const chosen = new Set(ids.filter((id) => has(graph?.nodes, id)));
  if (graph === undefined || chosen.size === 0) return "nothing";
  const before = upstream(graph, [...chosen]);
  const between = [...downstream(graph, [...chosen])].filter((id) => before.has(id));
  if (between.some((id) => !chosen.has(id))) return "cycle";
  const isMixed = [...chosen].some((id) =>
    Object.values(at(graph.nodes, id)?.inputs ?? {}).some((value) => {
      const inner = linksIn(value).filter((each) => chosen.has(each.$link[0]));
      return inner.length > 0 && inner.length < linksIn(value).length;
    }),
  );
  return isMixed ? "mixed_list" : null;
}

/**
 * Make a graph of some nodes and put one node in their place. Wires into them become its named
 * inputs, wires out of them its named outputs; values stay inside, each in one place.
 */
export function makeSubgraph(path: GraphPath, ids: readonly NodeId[], title: string): Command {
  return {
    name: "make_subgraph",
    apply: (workflow) => {
      if (whyNoSubgraph(graphAt(workflow, path), ids) !== null) return workflow;
      const taken = namesInScope(workflow, path);
      const name = freshName(idLike(title), (each) => taken.has(each));
      return changeGraph(workflow, path, (graph) =>
        new Extraction(graph, ids, name, title).result(),
      );
    },
  };
}

class Extraction {
  private readonly chosen: ReadonlySet<NodeId>;
  private readonly id: NodeId;
  private inputs: Table<InputEnd> = {};
  private outputs: Table<OutputEnd> = {};
  private values: Table<Value> = {};
  /** The named input that takes a value from outside, by that value. */
  private readonly named = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    ids: readonly NodeId[],
    private readonly name: string,
    private readonly title: string,
  ) {
    this.chosen = new Set(ids.filter((id) => has(graph.nodes, id)));
    const rest = {
      ...graph,
      nodes: tableOf(nodesOf(graph).filter(([id]) => !this.chosen.has(id))),
    };
    this.id = nodeId(freshName(name, isTaken(rest)));
  }

  result(): Graph {
    const { graph, chosen, id, name } = this;
    const inner = tableOf(
      nodesOf(graph)
        .filter(([each]) => chosen.has(each))
        .map(([each, node]): [string, GraphNode] => [each, this.inside(each, node)]),
    );
    const outputs = mapTable(graph.outputs, (end) => movedOutput(end, this.follow));
    const inputs = mapTable(graph.inputs, (end, as) => this.outerEnd(end, as));
    const others = nodesOf(graph).flatMap(([each, node]): [string, GraphNode][] =>
      chosen.has(each) ? [] : [[each, relinked(node, this.follow)]],
    );
    const index = keysOf(graph.nodes).findIndex((each) => chosen.has(nodeId(each)));
    const node: GraphNode = {
      type: SUBGRAPH,
      version: 1,
      inputs: this.values,
      graph: graphName(name),
    };
    const [view, outerView] = this.views();
    const definition: Graph = {
      ...(this.title === "" ? {} : { name: this.title }),
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: inner,
      ...(view === undefined ? {} : { view }),
    };
    return {
      ...withSubgraphs(graph, { [name]: definition }),
      inputs,
      outputs,
      nodes: put(tableOf(others), id, node, Math.min(index, others.length)),
      ...(outerView === undefined ? {} : { view: outerView }),
    };
  }

  /** A node as it stands inside: what it had from outside comes through named inputs. */
  private inside(id: NodeId, node: GraphNode): GraphNode {
    let inputs = node.inputs;
    for (const [input, value] of entriesOf(node.inputs)) {
      const links = linksIn(value);
      if (links.length === 0 || links.some((each) => this.chosen.has(each.$link[0]))) continue;
      inputs = drop(inputs, input);
      this.take({ node: id, input }, value);
    }
    return inputs === node.inputs ? node : { ...node, inputs };
  }

  private take(end: InputEnd, value: Value): void {
    const source = isLink(value) ? JSON.stringify(value.$link) : undefined;
    const known = source === undefined ? undefined : this.named.get(source);
    const joined = known === undefined ? undefined : at(this.inputs, known);
    if (known !== undefined && joined !== undefined) {
      this.inputs = put(this.inputs, known, endOf([...placesOf(joined), end]) ?? joined);
      return;
    }
    const name = freshName(end.input, (each) => has(this.inputs, each));
    this.inputs = put(this.inputs, name, end);
    this.values = put(this.values, name, value);
    if (source !== undefined) this.named.set(source, name);
  }

  /** Where a link from outside leads: to the named output that stands for what it led to. */
  private readonly follow = (node: NodeId, output: string): readonly [NodeId, string] => {
    if (!this.chosen.has(node)) return [node, output];
    const known = entriesOf(this.outputs).find(
      ([, end]) => end.node === node && end.output === output,
    );
    if (known !== undefined) return [this.id, known[0]];
    const like = output === "value" ? node : output;
    const name = freshName(like, (each) => has(this.outputs, each));
    this.outputs = put(this.outputs, name, { node, output });
    return [this.id, name];
  };

  /** A named input of the graph around: what it leads to inside becomes one named input there. */
  private outerEnd(end: InputEnd, as: string): InputEnd | undefined {
    const inner = placesOf(end).filter((each) => this.chosen.has(each.node));
    if (inner.length === 0) return end;
    const names = inner.map((each) => this.nameOf(each, as));
    const joined = this.joined([...new Set(names)]);
    const others = placesOf(end).filter((each) => !this.chosen.has(each.node));
    const first = placesOf(end).findIndex((each) => this.chosen.has(each.node));
    others.splice(first, 0, ...joined.map((input) => ({ ...inner[0], node: this.id, input })));
    return endOf(others);
  }

  private nameOf(end: InputEnd, as: string): string {
    const place = { node: end.node, input: end.input };
    const known = entriesOf(this.inputs).find(([, each]) =>
      placesOf(each).some(({ node, input }) => node === place.node && input === place.input),
    );
    if (known !== undefined) return known[0];
    const name = freshName(as, (each) => has(this.inputs, each));
    this.inputs = put(this.inputs, name, place);
    return name;
  }

  /** Named inputs that take one value from the graph around become one, if nothing else goes there. */
  private joined(names: readonly string[]): string[] {
    const [first, ...others] = names.filter((name) => !has(this.values, name));
    if (first === undefined || others.length === 0) return [...names];
    const all = [first, ...others].flatMap((name) => {
      const end = at(this.inputs, name);
      return end === undefined ? [] : placesOf(end);
    });
    const end = endOf(all);
    if (end !== undefined) this.inputs = put(drop(this.inputs, ...others), first, end);
    return names.filter((name) => !others.includes(name));
  }

  private views(): [View | undefined, View | undefined] {
    const { view } = this.graph;
    if (view === undefined) return [undefined, undefined];
    const isInside = (id: string): boolean => this.chosen.has(nodeId(id));
    const places = entriesOf(view.nodes).filter(([id]) => isInside(id));
    const reroutes = (view.reroutes ?? []).filter((dot) => isInside(dot.node));
    const inner: View = {
      ...(places.length > 0 ? { nodes: tableOf(places) } : {}),
      ...(reroutes.length > 0 ? { reroutes } : {}),
    };
    const rest = { ...view, nodes: drop(view.nodes ?? {}, ...places.map(([id]) => id)) };
    const outer = placed(rest, this.id, middleOf(this.graph, [...this.chosen]) ?? {});
    const kept = view.reroutes?.filter((dot) => !isInside(dot.node));
    return [inner, kept === undefined ? outer : { ...outer, reroutes: kept }];
  }
}

function middleOf(graph: Graph, ids: readonly NodeId[]): { x: number; y: number } | undefined {
  const places = ids.map((id) => placeOf(graph, id)).filter((place) => place !== undefined);
  if (places.length === 0) return undefined;
  const sum = (values: readonly number[]): number =>
    values.reduce((total, each) => total + each, 0);
  return {
    x: Math.round(sum(places.map(({ x }) => x)) / places.length),
    y: Math.round(sum(places.map(({ y }) => y)) / places.length),
  };
}

/** Why a node cannot be taken apart; null if it can. */
export function whyNotUnpacked(workflow: Workflow, path: GraphPath, id: NodeId): Refusal | null {
  const node = at(graphAt(workflow, path)?.nodes, id);
  const where = node && definitionPath(workflow, path, node.graph);
  if (node?.type !== SUBGRAPH || where === undefined) return "not_a_subgraph";
  if (node.mode === "bypass") return "bypassed";
  const isInside = where.every((name, index) => path[index] === name);
  return isInside ? "not_a_subgraph" : null;
}

/** Put the nodes of a graph in the place of a node that stands for it. The graph goes if nobody else uses it. */
export function unpackSubgraph(path: GraphPath, id: NodeId): Command {
  return {
    name: "unpack_subgraph",
    apply: (workflow) => {
      if (whyNotUnpacked(workflow, path, id) !== null) return workflow;
      const node = at(graphAt(workflow, path)?.nodes, id);
      const where = node && definitionPath(workflow, path, node.graph);
      const inner = where && graphAt(workflow, where);
      if (node === undefined || where === undefined || inner === undefined) return workflow;
      const { added, names } = settled(workflow, path, inner.subgraphs ?? {});
      const unpacked = changeGraph(workflow, path, (graph) => {
        const settledInner = { ...inner, nodes: withGraphNamed(inner.nodes, names) };
        return withSubgraphs(new Unpacking(graph, id, node, settledInner).result(), added);
      });
      const isUsed = instancesOf(unpacked, where).length > 0;
      const name = where.at(-1);
      return isUsed || name === undefined
        ? unpacked
        : withGraph(unpacked, where.slice(0, -1), (graph) => withoutSubgraph(graph, name));
    },
  };
}

class Unpacking {
  private readonly ids = new Map<string, NodeId>();

  constructor(
    private readonly graph: Graph,
    private readonly id: NodeId,
    private readonly node: GraphNode,
    private readonly inner: Graph,
  ) {
    const isOuter = isTaken({ ...graph, nodes: drop(graph.nodes, id) });
    const used = new Set<string>();
    for (const name of keysOf(inner.nodes)) {
      const fresh = freshName(name, (each) => isOuter(each) || used.has(each));
      used.add(fresh);
      this.ids.set(name, nodeId(fresh));
    }
  }

  result(): Graph {
    const { graph, id } = this;
    const nodes = entriesOf(graph.nodes).flatMap(([each, node]): [string, GraphNode][] =>
      each === id ? this.unpacked() : [[each, relinked(node, this.follow)]],
    );
    const places = (end: InputEnd): InputEnd[] => {
      if (end.node !== id) return [end];
      const inside = at(this.inner.inputs, end.input);
      return inside === undefined
        ? []
        : placesOf(inside).map((each) => ({ node: this.idOf(each.node), input: each.input }));
    };
    const view = this.view();
    return {
      ...graph,
      nodes: tableOf(nodes),
      inputs: mapTable(graph.inputs, (end) =>
        placesOf(end).some((each) => each.node === id) ? endOf(placesOf(end).flatMap(places)) : end,
      ),
      outputs: mapTable(graph.outputs, (end) => movedOutput(end, this.follow)),
      ...(view === undefined ? {} : { view }),
    };
  }

  private idOf(inner: string): NodeId {
    return this.ids.get(inner) ?? nodeId(inner);
  }

  private readonly follow = (
    node: NodeId,
    output: string,
  ): readonly [NodeId, string] | undefined => {
    if (node !== this.id) return [node, output];
    const end = at(this.inner.outputs, output);
    return end === undefined ? undefined : [this.idOf(end.node), end.output];
  };

  private unpacked(): [string, GraphNode][] {
    const given = new Map<string, [string, Value][]>();
    for (const [name, value] of entriesOf(this.node.inputs)) {
      const end = at(this.inner.inputs, name);
      for (const { node, input } of end === undefined ? [] : placesOf(end)) {
        given.set(node, [...(given.get(node) ?? []), [input, value]]);
      }
    }
    return entriesOf(this.inner.nodes).map(([name, node]): [string, GraphNode] => {
      const inside = relinked(node, (source, output) => [this.idOf(source), output]);
      const inputs = (given.get(name) ?? []).reduce(
        (table, [input, value]) => put(table, input, value),
        inside.inputs,
      );
      const muted: Pick<GraphNode, "mode"> = { mode: "mute" };
      const mode = this.node.mode === "mute" ? muted : {};
      return [this.idOf(name), { ...inside, inputs, ...mode }];
    });
  }

  private view(): View | undefined {
    const { graph, inner } = this;
    if (graph.view === undefined && inner.view === undefined) return undefined;
    const [from, to] = [middleOf(inner, keysOf(inner.nodes).map(nodeId)), placeOf(graph, this.id)];
    const by = from && to ? { x: to.x - from.x, y: to.y - from.y } : { x: 0, y: 0 };
    let view: View = graph.view ?? {};
    for (const name of keysOf(inner.nodes)) {
      const place = placeOf(inner, nodeId(name));
      if (place === undefined) continue;
      const old = at(inner.view?.nodes, name) ?? {};
      view = placed(view, this.idOf(name), { ...old, x: place.x + by.x, y: place.y + by.y });
    }
    const dots = (inner.view?.reroutes ?? []).map((dot) => ({
      ...dot,
      id: freshName(
        dot.id,
        (each) => graph.view?.reroutes?.some((other) => other.id === each) === true,
      ),
      node: this.idOf(dot.node),
      x: dot.x + by.x,
      y: dot.y + by.y,
    }));
    if (dots.length > 0) view = { ...view, reroutes: [...(graph.view?.reroutes ?? []), ...dots] };
    return view;
  }
}
