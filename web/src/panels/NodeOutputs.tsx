import { exposeOutput, hideOutput, outputNamed, renameOutput } from "../graph/commands/form";
import type { NodeId } from "../graph/ids";
import type { Output } from "../graph/catalogue";
import { mainName, typeText } from "../graph/types";
import { Glyph } from "../look/Glyph";
import { useEditor } from "../state/store";
import { activeGraph, activePath } from "../state/tabs";
import { say } from "../words";
import { LineButton } from "./FieldLine";
import { NameBox } from "./NameBox";

interface Props {
  readonly id: NodeId;
  readonly title: string;
  readonly outputs: readonly Output[];
}

/** What a node gives, and which of it the graph gives under a name. */
export function NodeOutputs({ id, title, outputs }: Props) {
  return (
    <section className="inspector-outputs" aria-label={say("inspect.outputs")}>
      <h3>{say("inspect.outputs")}</h3>
      <ul>
        {outputs.map((output) => (
          <NodeOutput key={output.name} id={id} title={title} output={output} />
        ))}
      </ul>
    </section>
  );
}

interface OutputProps extends Omit<Props, "outputs"> {
  readonly output: Output;
}

function NodeOutput({ id, title, output }: OutputProps) {
  const path = useEditor(activePath);
  const port = { node: id, output: output.name };
  const name = useEditor((state) => outputNamed(activeGraph(state), port));
  const perform = useEditor((state) => state.perform);
  const label = say("inspect.field", { title, input: output.name });
  return (
    <li>
      <Glyph type={mainName(output.type)} />
      {output.name}
      <span className="quiet small">{typeText(output.type)}</span>
      {name !== undefined && (
        <NameBox
          label={say("inspect.givenAs", { output: label })}
          value={name}
          onName={(next) => perform(renameOutput(path, name, next))}
        />
      )}
      <LineButton
        icon="upload"
        name={name === undefined ? "inspect.give" : "inspect.keep"}
        label={label}
        pressed={name !== undefined}
        onClick={() =>
          perform(name === undefined ? exposeOutput(path, port) : hideOutput(path, name))
        }
      />
    </li>
  );
}
