import { Icon } from "../look/Icon";
import { say } from "../words";
import type { NodeData } from "./flow";
import { useProblem, useWarning } from "./runs";

/** What is wrong with a node, below it, where it covers none of its fields. */
export function NodeProblem({ data }: { readonly data: NodeData }) {
  const told = useProblem(data.id);
  const warning = useWarning(data.id);
  const unknown = data.known ? undefined : say("canvas.unknownType", { type: data.node.type });
  const text = told ?? warning ?? unknown;
  if (text === undefined) return null;
  return (
    <div className="node-problem" data-kind={told === undefined ? "warning" : "error"}>
      <Icon name={told === undefined ? "warning" : "error"} small />
      <span>{text}</span>
    </div>
  );
}
