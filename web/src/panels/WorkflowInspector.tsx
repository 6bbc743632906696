import { renameWorkflow } from "../graph/commands/form";
import { withGraph, nodeIds } from "../graph/graphs";
import type { Command } from "../graph/commands/command";
import type { GraphPath } from "../graph/ids";
import { keysOf } from "../graph/tables";
import { useEditor } from "../state/store";
import { activeGraph, activePath } from "../state/tabs";
import { say, sayCount } from "../words";
import { TextArea, TextBox } from "../widgets/TextBox";

/** What a graph says about itself. */
function describe(path: GraphPath, text: string): Command {
  return {
    name: "describe_workflow",
    merge: `description ${JSON.stringify(path)}`,
    apply: (workflow) => withGraph(workflow, path, (graph) => ({ ...graph, description: text })),
  };
}

/** Nothing is selected: the workflow, or the subgraph that was entered. */
export function WorkflowInspector() {
  const graph = useEditor(activeGraph);
  const path = useEditor(activePath);
  const perform = useEditor((state) => state.perform);
  const description = graph["description"];
  return (
    <div className="inspector">
      <header className="inspector-head">
        <TextBox
          label={say("inspect.workflowName")}
          value={graph.name ?? path.at(-1) ?? ""}
          onChange={(name) => perform(renameWorkflow(path, name))}
        />
        <p className="quiet small">
          {sayCount("inspect.oneNode", "inspect.nodes", nodeIds(graph).length)} ·{" "}
          {sayCount("inspect.oneInput", "inspect.inputs", keysOf(graph.inputs).length)} ·{" "}
          {sayCount("inspect.oneOutput", "inspect.outputCount", keysOf(graph.outputs).length)}
        </p>
        <TextArea
          label={say("inspect.description")}
          value={typeof description === "string" ? description : ""}
          placeholder={say("inspect.describe")}
          onChange={(text) => perform(describe(path, text))}
        />
      </header>
      <p className="inspector-hint">{say("inspect.selectSomething")}</p>
    </div>
  );
}
