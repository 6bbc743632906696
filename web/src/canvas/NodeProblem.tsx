import { Icon } from "../look/Icon";
import { say } from "../words";
import type { NodeData } from "./flow";
import { useProblem } from "./runs";

/** What is wrong with a node, below it, where it covers none of its fields. */
export function NodeProblem({ data }: { readonly data: NodeData }) {
  const told = useProblem(data.id);
  const isMissing = !data.known;
  const text = told ?? (isMissing ? say("canvas.unknownType", { type: data.node.type }) : null);
  if (text === null) return null;
  return (
    <div className="node-problem" data-kind={told === undefined ? "warning" : "error"}>
      <Icon name={told === undefined ? "warning" : "error"} small />
      <span>{text}</span>
    </div>
  );
}
