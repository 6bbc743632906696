/** Wires drawn, taken away, and nodes put into them. */

import type { Graph, Value } from "../document";
import { graphAt } from "../graphs";
import type { GraphPath, NodeId } from "../ids";
import { freshName } from "../ids";
import { isList, isObject } from "../json";
import { inputOf } from "../ports";
import { at, drop, has, mapTable, put } from "../tables";
import { isAxis, isLink, isRange, link, linksIn, replaceLinks } from "../values";
import { type InputPort, type OutputPort, type Wire, Wiring } from "../wiring";
import { changeGraph, relinked, withNode } from "./change";
import type { Command } from "./command";

/**
 * Lead an output into an input. A wire that was there is replaced; into a list or a table whose
 * elements the output fits, it is added. Nothing happens where `canLink` says no.
 */
export function connect(path: GraphPath, from: OutputPort, to: InputPort): Command {
  return {
    name: "connect",
    apply: (workflow, catalogue) => {
      const wiring = new Wiring(workflow, path, catalogue);
      const answer = wiring.canLink(from, to);
      if (!answer.ok) return workflow;
      const isTable = inputOf(wiring.portsOf(to.node), to.input)?.kind === "object";
      return changeGraph(workflow, path, (graph) =>
        withInput(graph, to, (old) =>
          answer.as === "whole" ? linkTo(from, old) : added(from, old, isTable),
        ),
      );
    },
  };
}

/** Take a wire away: all of an input's, or the one at an index among them. */
export function disconnect(path: GraphPath, to: InputPort, index?: number): Command {
  return {
    name: "disconnect",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        withInput(graph, to, (old) => {
          let place = -1;
          return old === undefined
            ? undefined
            : replaceLinks(old, (each) => {
                place += 1;
                return index === undefined || index === place ? undefined : each;
              });
        }),
      ),
  };
}

/** Take away every wire into and out of a node. */
export function disconnectNode(path: GraphPath, id: NodeId): Command {
  return {
    name: "disconnect_node",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) => ({
        ...graph,
        nodes: mapTable(graph.nodes, (node, each) =>
          relinked(node, (source, output) =>
            each === id || source === id ? undefined : [source, output],
          ),
        ),
      })),
  };
}

/** Lead the end of a wire to another input. */
export function reconnect(path: GraphPath, wire: Wire, to: InputPort): Command {
  const isSame = wire.to.node === to.node && wire.to.input === to.input;
  if (isSame) return { name: "reconnect", apply: (workflow) => workflow };
  return {
    name: "reconnect",
    apply: (workflow, catalogue) => {
      const free = disconnect(path, wire.to, wire.index).apply(workflow, catalogue);
      const joined = connect(path, wire.from, to).apply(free, catalogue);
      return joined === free ? workflow : joined;
    },
  };
}

/** Put a node into a wire, by its first ports that fit on both sides; its own wires there go. */
export function insertOnWire(path: GraphPath, id: NodeId, wire: Wire): Command {
  return {
    name: "insert_on_wire",
    apply: (workflow, catalogue) => {
      const { from, to, index } = wire;
      if (from.node === id || to.node === id) return workflow;
      const free = disconnectNode(path, id).apply(workflow, catalogue);
      const ports = new Wiring(free, path, catalogue).portsOf(id);
      for (const field of ports.inputs) {
        const entered = connect(path, from, { node: id, input: field.name }).apply(free, catalogue);
        if (entered === free) continue;
        for (const { name } of ports.outputs) {
          if (!new Wiring(entered, path, catalogue).canLink({ node: id, output: name }, to).ok)
            continue;
          return relinkedAt(path, wire, { node: id, output: name }, index).apply(
            entered,
            catalogue,
          );
        }
      }
      return workflow;
    },
  };
}

/** Give one of an input's links another source, in its place. */
function relinkedAt(path: GraphPath, { to }: Wire, from: OutputPort, index: number): Command {
  return {
    name: "relink",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        withInput(graph, to, (old) => {
          let place = -1;
          return replaceLinks(old ?? null, (each) => {
            place += 1;
            return place === index ? link(from.node, from.output) : each;
          });
        }),
      ),
  };
}

/** The first input of a node that an output fits into, free ones first: where a dropped wire goes. */
export function firstFitting(
  wiring: Wiring,
  graph: Graph | undefined,
  from: OutputPort,
  id: NodeId,
): InputPort | undefined {
  const inputs = at(graph?.nodes, id)?.inputs;
  const fitting = wiring
    .portsOf(id)
    .inputs.filter(({ name }) => wiring.canLink(from, { node: id, input: name }).ok);
  const free = fitting.filter(({ name }) => linksIn(at(inputs, name)).length === 0);
  const best = free.find((field) => field.kind === "link") ?? free[0] ?? fitting[0];
  return best === undefined ? undefined : { node: id, input: best.name };
}

/** Wire a new node to the port from which it was dragged: see `addNode`. */
export function connectFirst(path: GraphPath, from: OutputPort, id: NodeId): Command {
  return {
    name: "connect",
    apply: (workflow, catalogue) => {
      const wiring = new Wiring(workflow, path, catalogue);
      const to = firstFitting(wiring, graphAt(workflow, path), from, id);
      return to === undefined ? workflow : connect(path, from, to).apply(workflow, catalogue);
    },
  };
}

/** Wire the first output of a node that fits into an input. */
export function connectFromFirst(path: GraphPath, id: NodeId, to: InputPort): Command {
  return {
    name: "connect",
    apply: (workflow, catalogue) => {
      const wiring = new Wiring(workflow, path, catalogue);
      const found = wiring
        .portsOf(id)
        .outputs.find(({ name }) => wiring.canLink({ node: id, output: name }, to).ok);
      return found === undefined
        ? workflow
        : connect(path, { node: id, output: found.name }, to).apply(workflow, catalogue);
    },
  };
}

function linkTo(from: OutputPort, old: Value | undefined): Value {
  const next = link(from.node, from.output);
  return isLink(old) && old.$link[0] === from.node && old.$link[1] === from.output ? old : next;
}

function added(from: OutputPort, old: Value | undefined, isTable: boolean): Value {
  const next = link(from.node, from.output);
  if (isTable) {
    const table = isObject(old) && !isLink(old) && !isAxis(old) && !isRange(old) ? old : {};
    return put(
      table,
      freshName(from.node, (name) => has(table, name)),
      next,
    );
  }
  return isList(old) ? [...old, next] : isLink(old) ? [old, next] : [next];
}

function withInput(
  graph: Graph,
  { node: id, input }: InputPort,
  change: (old: Value | undefined) => Value | undefined,
): Graph {
  return withNode(graph, id, (node) => {
    const old = at(node.inputs, input);
    const value = change(old);
    if (value === old) return node;
    return {
      ...node,
      inputs: value === undefined ? drop(node.inputs, input) : put(node.inputs, input, value),
    };
  });
}
