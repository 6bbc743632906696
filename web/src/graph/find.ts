/** Nodes of a document found by title, type, id or value. */

import type { Workflow } from "./document";
import { graphAt, graphPaths, nodesOf } from "./graphs";
import type { GraphPath, NodeId } from "./ids";
import { type Json, printJson } from "./json";
import { entriesOf } from "./tables";
import { linksIn } from "./values";
import { notesOf, placeOf } from "./view";

export interface Found {
  readonly path: GraphPath;
  /** The node, or the note by `note`. */
  readonly node: NodeId | undefined;
  readonly note: string | undefined;
  readonly where: "title" | "type" | "id" | "value" | "note";
  /** The input that holds the value. */
  readonly input: string | undefined;
  readonly text: string;
}

type Part = Pick<Found, "where" | "input" | "text">;

/** Every place that holds the query, in all graphs of the document; one for each node. */
export function find(workflow: Workflow, query: string): Found[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return [];
  return graphPaths(workflow).flatMap((path) => {
    const graph = graphAt(workflow, path);
    const nodes = nodesOf(graph).flatMap(([id, node]): Found[] => {
      const values = entriesOf(node.inputs)
        .filter(([, value]) => linksIn(value).length === 0)
        .map(([input, value]): Part => ({ where: "value", input, text: shown(value) }));
      const parts: readonly Part[] = [
        { where: "title", input: undefined, text: placeOf(graph, id)?.title ?? "" },
        { where: "id", input: undefined, text: id },
        { where: "type", input: undefined, text: node.graph ?? node.type },
        ...values,
      ];
      const part = parts.find(({ text }) => text.toLowerCase().includes(wanted));
      return part === undefined ? [] : [{ path, node: id, note: undefined, ...part }];
    });
    const notes = notesOf(graph)
      .filter(({ text }) => text.toLowerCase().includes(wanted))
      .map(({ id, text }): Found => {
        return { path, node: undefined, note: id, where: "note", input: undefined, text };
      });
    return [...nodes, ...notes];
  });
}

function shown(value: Json): string {
  return typeof value === "string" ? value : printJson(value);
}
