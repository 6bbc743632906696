/** Values typed into inputs, and inputs made axes of a sweep. */

import type { Axis, Value } from "../document";
import { fitted } from "../check";
import type { GraphPath, NodeId } from "../ids";
import { inputOf, portsOf } from "../ports";
import { at, drop, put } from "../tables";
import { same } from "../json";
import { isAxis } from "../values";
import { changeGraph, withNode } from "./change";
import type { Command } from "./command";

/** Set an input. What is typed into one field without a break is one step. */
export function setInput(path: GraphPath, id: NodeId, input: string, value: Value): Command {
  return {
    name: "set_input",
    merge: `input ${JSON.stringify([path, id, input])}`,
    apply: (workflow, catalogue) => {
      const field = inputOf(portsOf(workflow, path, id, catalogue), input);
      const written = field === undefined ? value : fitted(field, value);
      return changeGraph(workflow, path, (graph) =>
        withNode(graph, id, (node) =>
          same(at(node.inputs, input), written)
            ? node
            : { ...node, inputs: put(node.inputs, input, written) },
        ),
      );
    },
  };
}

/** Let an input have its default again. */
export function clearInput(path: GraphPath, id: NodeId, input: string): Command {
  return {
    name: "clear_input",
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        withNode(graph, id, (node) => {
          const inputs = drop(node.inputs, input);
          return inputs === node.inputs ? node : { ...node, inputs };
        }),
      ),
  };
}

/** Make an input an axis of a sweep; undefined makes it one value again, the first of the axis. */
export function setAxis(
  path: GraphPath,
  id: NodeId,
  input: string,
  axis: Axis | undefined,
): Command {
  return {
    name: axis === undefined ? "clear_axis" : "set_axis",
    apply: (workflow, catalogue) => {
      if (axis !== undefined) return setInput(path, id, input, axis).apply(workflow, catalogue);
      return changeGraph(workflow, path, (graph) =>
        withNode(graph, id, (node) => {
          const old = at(node.inputs, input);
          if (!isAxis(old)) return node;
          const first = "$range" in old.$axis ? old.$axis.$range.from : old.$axis[0];
          return {
            ...node,
            inputs: first === undefined ? drop(node.inputs, input) : put(node.inputs, input, first),
          };
        }),
      );
    },
  };
}
