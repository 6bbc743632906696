/** Named inputs and outputs: what the form shows, and what a graph takes and gives as a node. */

import { fitted } from "../check";
import type { Graph, InputEnd, Value } from "../document";
import { graphAt } from "../graphs";
import { freshName, type GraphPath } from "../ids";
import { inputOf, outputOf, portsOf } from "../ports";
import { at, entriesOf, has, mapTable, put, renameKey, tableOf } from "../tables";
import type { InputPort, OutputPort } from "../wiring";
import { changeGraph, withNode } from "./change";
import { endOf, movedEnd, placesOf } from "../ends";
import type { Command } from "./command";

/** The name under which an input is shown in the form; undefined if it is not. */
export function exposedAs(
  graph: Graph | undefined,
  { node, input }: InputPort,
): string | undefined {
  return entriesOf(graph?.inputs).find(([, end]) =>
    placesOf(end).some((each) => each.node === node && each.input === input),
  )?.[0];
}

/**
 * Show an input in the form, under its own name or another. With the name of a named input that is
 * there, the two take one value: `alongside` must be true for that, else the name is made unique.
 */
export function exposeInput(
  path: GraphPath,
  port: InputPort,
  name: string = port.input,
  alongside = false,
): Command {
  return {
    name: "expose_input",
    apply: (workflow, catalogue) =>
      changeGraph(workflow, path, (graph) => {
        const ports = portsOf(workflow, path, port.node, catalogue);
        if (ports.known && inputOf(ports, port.input) === undefined) return graph;
        if (!has(graph.nodes, port.node) || exposedAs(graph, port) !== undefined) return graph;
        const end: InputEnd = { node: port.node, input: port.input };
        const known = at(graph.inputs, name);
        const joined =
          alongside && known !== undefined ? endOf([...placesOf(known), end]) : undefined;
        if (joined !== undefined) return { ...graph, inputs: put(graph.inputs, name, joined) };
        const fresh = freshName(name, (each) => has(graph.inputs, each));
        return { ...graph, inputs: put(graph.inputs, fresh, end) };
      }),
  };
}

/** Take an input from the form, or only one of the places that it leads to. */
export function hideInput(path: GraphPath, name: string, port?: InputPort): Command {
  return {
    name: "hide_input",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) => ({
        ...graph,
        inputs: mapTable(graph.inputs, (end, each) => {
          if (each !== name) return end;
          if (port === undefined) return undefined;
          return movedEnd(end, (place) =>
            place.node === port.node && place.input === port.input ? undefined : place,
          );
        }),
      })),
  };
}

export function renameInput(path: GraphPath, name: string, to: string): Command {
  return {
    name: "rename_input",
    apply: (workflow) => {
      const inputs = graphAt(workflow, path)?.inputs;
      if (to === "" || to === name || !has(inputs, name)) return workflow;
      const fresh = freshName(to, (each) => has(inputs, each));
      return changeGraph(
        workflow,
        path,
        (graph) => ({ ...graph, inputs: renameKey(graph.inputs, name, fresh) }),
        { inputs: new Map([[name, fresh]]) },
      );
    },
  };
}

/** Give a named input another place in the form's order. */
export function moveInput(path: GraphPath, name: string, index: number): Command {
  return {
    name: "move_input",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) => {
        const end = at(graph.inputs, name);
        if (end === undefined) return graph;
        const others = entriesOf(graph.inputs).filter(([each]) => each !== name);
        others.splice(index, 0, [name, end]);
        return { ...graph, inputs: tableOf(others) };
      }),
  };
}

/** Set a named input: the value goes to every place that it leads to. */
export function setNamedInput(path: GraphPath, name: string, value: Value): Command {
  return {
    name: "set_input",
    merge: `named ${JSON.stringify([path, name])}`,
    apply: (workflow, catalogue) =>
      changeGraph(workflow, path, (graph) => {
        const end = at(graph.inputs, name);
        const places = end === undefined ? [] : placesOf(end);
        return places.reduce((changed, { node: id, input }) => {
          const field = inputOf(portsOf(workflow, path, id, catalogue), input);
          const written = field === undefined ? value : fitted(field, value);
          return withNode(changed, id, (node) => ({
            ...node,
            inputs: put(node.inputs, input, written),
          }));
        }, graph);
      }),
  };
}

/** The name under which a graph gives an output; undefined if it does not. */
export function outputNamed(
  graph: Graph | undefined,
  { node, output }: OutputPort,
): string | undefined {
  return entriesOf(graph?.outputs).find(
    ([, end]) => end.node === node && end.output === output,
  )?.[0];
}

/** Give an output of a node as one of the graph, under its own name or another, made unique. */
export function exposeOutput(
  path: GraphPath,
  port: OutputPort,
  name: string = port.output,
): Command {
  return {
    name: "expose_output",
    apply: (workflow, catalogue) =>
      changeGraph(workflow, path, (graph) => {
        const ports = portsOf(workflow, path, port.node, catalogue);
        if (ports.known && outputOf(ports, port.output) === undefined) return graph;
        if (!has(graph.nodes, port.node) || outputNamed(graph, port) !== undefined) return graph;
        const fresh = freshName(name, (each) => has(graph.outputs, each));
        const end = { node: port.node, output: port.output };
        return { ...graph, outputs: put(graph.outputs, fresh, end) };
      }),
  };
}

export function hideOutput(path: GraphPath, name: string): Command {
  return {
    name: "hide_output",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) => ({
        ...graph,
        outputs: mapTable(graph.outputs, (end, each) => (each === name ? undefined : end)),
      })),
  };
}

export function renameOutput(path: GraphPath, name: string, to: string): Command {
  return {
    name: "rename_output",
    apply: (workflow) => {
      const outputs = graphAt(workflow, path)?.outputs;
      if (to === "" || to === name || !has(outputs, name)) return workflow;
      const fresh = freshName(to, (each) => has(outputs, each));
      return changeGraph(
        workflow,
        path,
        (graph) => ({ ...graph, outputs: renameKey(graph.outputs, name, fresh) }),
        { outputs: new Map([[name, fresh]]) },
      );
    },
  };
}

/** Name the workflow, or one of its graphs as people read it. */
export function renameWorkflow(path: GraphPath, name: string): Command {
  return {
    name: "rename_workflow",
    merge: `name ${JSON.stringify(path)}`,
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) => (graph.name === name ? graph : { ...graph, name })),
  };
}
