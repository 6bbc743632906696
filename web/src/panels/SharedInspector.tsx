import { together } from "../graph/commands/command";
import { clearInput, setInput } from "../graph/commands/inputs";
import type { Value } from "../graph/document";
import type { NodeId } from "../graph/ids";
import { same } from "../graph/json";
import { inputOf, portsOf } from "../graph/ports";
import type { Field } from "../graph/schema";
import { at } from "../graph/tables";
import { isLink } from "../graph/values";
import { useEditor } from "../state/store";
import { activeGraph, activePath, activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { FieldLine } from "./FieldLine";
import { ModeChoice } from "./ModeChoice";

interface Props {
  readonly ids: readonly NodeId[];
}

/** What several nodes have in common; one edit goes to all of them, as one step. */
export function SharedInspector({ ids }: Props) {
  const workflow = useEditor(activeWorkflow);
  const graph = useEditor(activeGraph);
  const path = useEditor(activePath);
  const catalogue = useEditor((state) => state.catalogue);
  const perform = useEditor((state) => state.perform);
  const title = say("inspect.several", { count: ids.length });
  const ports = ids.map((id) => portsOf(workflow, path, id, catalogue));
  const shared = (ports[0]?.inputs ?? []).filter(
    (field) =>
      field.kind !== "link" &&
      ports.every((each) => inputOf(each, field.name)?.kind === field.kind) &&
      ids.every((id) => !isLink(at(at(graph.nodes, id)?.inputs, field.name))),
  );
  const valueOf = (id: NodeId, field: Field): Value | undefined =>
    at(at(graph.nodes, id)?.inputs, field.name) ?? field.default;

  return (
    <div className="inspector">
      <header className="inspector-head">
        <h2>{title}</h2>
        <ModeChoice ids={ids} />
      </header>
      <div className="lines">
        {shared.map((field) => {
          const [first, ...others] = ids.map((id) => valueOf(id, field));
          const step = `shared ${ids.join(" ")} ${field.name}`;
          return (
            <FieldLine
              key={field.name}
              field={field}
              title={field.title}
              label={say("inspect.field", { title, input: field.title })}
              value={first}
              mixed={others.some((other) => !same(first, other))}
              place={undefined}
              onChange={(value, gesture) =>
                perform(
                  together("set_input", ...ids.map((id) => setInput(path, id, field.name, value))),
                  gesture && `${step} ${gesture}`,
                )
              }
              onClear={
                field.default === undefined
                  ? undefined
                  : () =>
                      perform(
                        together(
                          "clear_input",
                          ...ids.map((id) => clearInput(path, id, field.name)),
                        ),
                      )
              }
            />
          );
        })}
        {shared.length === 0 && <p className="quiet">{say("inspect.nothingShared")}</p>}
      </div>
    </div>
  );
}
