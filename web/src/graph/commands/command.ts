/** A change to a workflow: a pure function with a name. */

import type { Catalogue } from "../catalogue";
import type { Workflow } from "../document";
import { graphAt, nodeIds } from "../graphs";
import type { GraphPath, NodeId } from "../ids";
import { has } from "../tables";

export interface Command {
  /** A code for the table of words: what "Undo …" says. */
  readonly name: string;
  /** Steps of one key that follow each other are one step: a drag, the typing in a field. */
  readonly merge?: string;
  /** The workflow after the change; the very same if there is nothing to change. */
  readonly apply: (workflow: Workflow, catalogue: Catalogue) => Workflow;
}

/** The nodes of a graph that were not there before: what to select after adding and pasting. */
export function newNodes(before: Workflow, after: Workflow, path: GraphPath): NodeId[] {
  const old = graphAt(before, path)?.nodes;
  return nodeIds(graphAt(after, path)).filter((id) => !has(old, id));
}

/** Several commands as one step. */
export function together(name: string, ...commands: readonly Command[]): Command {
  return {
    name,
    apply: (workflow, catalogue) =>
      commands.reduce((changed, command) => command.apply(changed, catalogue), workflow),
  };
}
