import { useEffect, useRef } from "react";

import { exposedAs, exposeInput, hideInput } from "../graph/commands/form";
import { setInput } from "../graph/commands/inputs";
import { typeNamed } from "../graph/catalogue";
import type { NodeId } from "../graph/ids";
import { portsOf } from "../graph/ports";
import type { Field } from "../graph/schema";
import { at } from "../graph/tables";
import { FrameButton } from "./FrameButton";
import { problemsOf } from "../state/problems";
import { useEditor } from "../state/store";
import { activeGraph, activePath, activeTab, activeWorkflow } from "../state/tabs";
import { titleIn } from "../state/titles";
import { say } from "../words";
import { TextBox } from "../widgets/TextBox";
import { FieldLine, LineButton } from "./FieldLine";
import { ModeChoice } from "./ModeChoice";
import { NodeOutputs } from "./NodeOutputs";

interface Props {
  readonly id: NodeId;
}

/** A node: what it is called, what it does, what it takes and gives. */
export function NodeInspector({ id }: Props) {
  const workflow = useEditor(activeWorkflow);
  const graph = useEditor(activeGraph);
  const path = useEditor(activePath);
  const catalogue = useEditor((state) => state.catalogue);
  const setTitle = useEditor((state) => state.setTitle);
  const lines = useArrival(id);
  const node = at(graph.nodes, id);
  if (node === undefined) return null;
  const type = typeNamed(catalogue, node.type);
  const ports = portsOf(workflow, path, id, catalogue);
  const title = titleIn(graph, id);
  return (
    <div className="inspector">
      <header className="inspector-head">
        <TextBox
          label={say("inspect.title")}
          value={at(graph.view?.nodes, id)?.title ?? ""}
          placeholder={title}
          onChange={(text) => setTitle(id, text)}
        />
        <p className="inspector-type">
          {node.type}
          {type !== undefined && <span className="quiet"> · {type.category}</span>}
          <span className="inspector-id">{id}</span>
        </p>
        {type !== undefined && <p className="inspector-summary">{type.summary}</p>}
        {!ports.known && <p className="notice warning">{say("inspect.unknown")}</p>}
        <ModeChoice ids={[id]} />
        <FrameButton path={path} node={id} />
      </header>
      <div className="lines" ref={lines}>
        {ports.inputs.map((field) => (
          <NodeField key={field.name} id={id} title={title} field={field} />
        ))}
        {ports.inputs.length === 0 && <p className="quiet">{say("inspect.noInputs")}</p>}
      </div>
      <NodeOutputs id={id} title={title} outputs={ports.outputs} />
    </div>
  );
}

const WIDGET = "input, textarea, select, button, [tabindex]";

/** Gives the focus to the input of the node that somebody jumped to. */
function useArrival(id: NodeId) {
  const lines = useRef<HTMLDivElement>(null);
  const input = useEditor(({ shownInput }) => (shownInput?.node === id ? shownInput.input : null));
  const arrived = useEditor((state) => state.arrived);
  useEffect(() => {
    if (input === null) return;
    const line = lines.current?.querySelector<HTMLElement>(`[data-input="${CSS.escape(input)}"]`);
    const widget = [...(line?.querySelectorAll<HTMLElement>(WIDGET) ?? [])].find(
      (each) =>
        each.tabIndex >= 0 && each.closest(".line-head") === null && !each.matches(":disabled"),
    );
    line?.scrollIntoView({ block: "center" });
    (widget ?? line)?.focus({ preventScroll: true });
    arrived();
  }, [input, arrived]);
  return lines;
}

interface FieldProps extends Props {
  readonly title: string;
  readonly field: Field;
}

function NodeField({ id, title, field }: FieldProps) {
  const input = field.name;
  const path = useEditor(activePath);
  const graph = useEditor(activeGraph);
  const perform = useEditor((state) => state.perform);
  const clear = useEditor((state) => state.clearInput);
  const problem = useEditor((state) => {
    const address = [...activeTab(state).trail, id].join("/");
    const [found] = problemsOf(state, address, input);
    return found && [found.message, found.hint].filter(Boolean).join(" ");
  });
  const name = exposedAs(graph, { node: id, input });
  const label = say("inspect.field", { title, input: field.title });
  return (
    <FieldLine
      dense
      field={field}
      title={field.title}
      label={label}
      value={at(at(graph.nodes, id)?.inputs, input)}
      place={{ path, node: id, input }}
      problem={problem}
      onChange={(value, gesture) => {
        const command = setInput(path, id, input, value);
        perform(command, gesture && `${command.merge ?? input} ${gesture}`);
      }}
      onClear={field.default === undefined ? undefined : () => clear(id, input)}
      actions={
        <LineButton
          icon="form"
          name={name === undefined ? "inspect.expose" : "inspect.hide"}
          label={label}
          pressed={name !== undefined}
          onClick={() =>
            perform(
              name === undefined
                ? exposeInput(path, { node: id, input })
                : hideInput(path, name, { node: id, input }),
            )
          }
        />
      }
    />
  );
}
