/** What a node is called on the page. */

import type { Graph } from "../graph/document";
import type { NodeId } from "../graph/ids";
import { at } from "../graph/tables";

/** The title of a node: its own, or the name of its graph, or its type's. */
export function titleIn(graph: Graph, id: NodeId): string {
  const node = at(graph.nodes, id);
  const own = at(graph.view?.nodes, id)?.title;
  return own !== undefined && own !== "" ? own : (node?.graph ?? node?.type ?? id);
}
