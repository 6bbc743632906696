/** Values typed into inputs. */

import type { Value } from "../document";
import { fitted } from "../check";
import type { GraphPath, NodeId } from "../ids";
import { inputOf, portsOf } from "../ports";
import { at, drop, put } from "../tables";
import { same } from "../json";
import { changeGraph, withNode } from "./change";
import type { Command } from "./command";

/** Set an input that the node has. What is typed into one field without a break is one step. */
export function setInput(path: GraphPath, id: NodeId, input: string, value: Value): Command {
  return {
    name: "set_input",
    merge: `input ${JSON.stringify([path, id, input])}`,
    apply: (workflow, catalogue) => {
      const ports = portsOf(workflow, path, id, catalogue);
      const field = inputOf(ports, input);
      if (field === undefined && ports.known) return workflow;
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
