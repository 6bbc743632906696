import { useMemo } from "react";

import { nodeId } from "../graph/ids";
import { has } from "../graph/tables";
import { selectedNodes } from "../state/selection";
import { useEditor } from "../state/store";
import { activeGraph } from "../state/tabs";
import { NodeInspector } from "./NodeInspector";
import { SharedInspector } from "./SharedInspector";
import { WorkflowInspector } from "./WorkflowInspector";
import "./inspector.css";

/** The selection: one node, what several have in common, or else the workflow itself. */
export function Inspector() {
  const selected = useEditor((state) => selectedNodes(state).join("\n"));
  const graph = useEditor(activeGraph);
  const ids = useMemo(
    () =>
      selected
        .split("\n")
        .filter((id) => has(graph.nodes, id))
        .map(nodeId),
    [selected, graph.nodes],
  );
  const [only] = ids;
  if (only === undefined) return <WorkflowInspector />;
  return ids.length === 1 ? <NodeInspector key={only} id={only} /> : <SharedInspector ids={ids} />;
}
