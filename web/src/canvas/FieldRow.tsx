import { isAxis } from "../graph/values";
import { FieldWidget } from "../widgets/FieldWidget";
import { useEditor } from "../state/store";
import { say } from "../words";
import type { NodeData } from "./flow";
import { Port } from "./Port";
import { useProblem } from "./runs";
import type { PortSpot } from "./shape";

interface Props {
  readonly data: NodeData;
  readonly spot: PortSpot;
}

/** An input with its widget and its port; once a wire leads there, with its source instead. */
export function FieldRow({ data, spot }: Props) {
  const { id, node, title, sources } = data;
  const { name, field } = spot;
  const setInput = useEditor((state) => state.setInput);
  const problem = useProblem(id, name);
  if (field === null) return null;
  const source = sources[name];
  const value = node.inputs[name];
  const isTall = field.kind === "multiline";
  return (
    <div
      className="field-row"
      style={{ height: spot.height }}
      data-wired={source !== undefined || undefined}
      data-tall={isTall || undefined}
      data-problem={problem !== undefined || undefined}
      title={field.description}
    >
      <Port node={id} title={title} spot={spot} wired={source !== undefined} />
      <span className="field-label" aria-hidden="true">
        {spot.title}
      </span>
      <div className="field-place nodrag">
        {source !== undefined && !isAxis(value) ? (
          <span className="field-source">{say("canvas.from", { source })}</span>
        ) : (
          <FieldWidget
            field={field}
            value={value}
            label={say("canvas.field", { title, input: spot.title })}
            compact
            problem={problem}
            onChange={(next, gesture) => setInput(id, name, next, gesture)}
          />
        )}
      </div>
    </div>
  );
}
