import { setNamedInput } from "../graph/commands/form";
import { clearInput, setInput } from "../graph/commands/inputs";
import type { Value } from "../graph/document";
import { has } from "../graph/tables";
import type { FormInput } from "../state/form";
import { problemsOf } from "../state/problems";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { titleIn } from "../state/titles";
import { say } from "../words";
import { FieldLine } from "./FieldLine";

interface Props {
  readonly input: FormInput;
}

/** Sets an input of the form: a named one at every place that it goes to. */
export function useFormChange({ name, port }: FormInput) {
  const perform = useEditor((state) => state.perform);
  const isNamed = useEditor((state) => has(activeWorkflow(state).inputs, name));
  return (value: Value, gesture?: string) => {
    const command = isNamed
      ? setNamedInput([], name, value)
      : setInput([], port.node, port.input, value);
    perform(command, gesture && `${command.merge ?? name} ${gesture}`);
  };
}

/** What a check or a run found wrong with an input of the form. */
export function useFormProblem({ port }: FormInput): string | undefined {
  return useEditor((state) => {
    const [found] = problemsOf(state, port.node, port.input);
    return found && [found.message, found.hint].filter(Boolean).join(" ");
  });
}

/** The accessible name: the node's title too, as wherever else a field is shown. */
export function useFormLabel({ port, title }: FormInput): string {
  const node = useEditor((state) => titleIn(activeWorkflow(state), port.node));
  return say("inspect.field", { title: node, input: title });
}

/** One line of the form. */
export function FormLine({ input }: Props) {
  const { title, field, value, port } = input;
  const perform = useEditor((state) => state.perform);
  const change = useFormChange(input);
  const label = useFormLabel(input);
  const problem = useFormProblem(input);
  return (
    <FieldLine
      field={field}
      title={title}
      label={label}
      value={value}
      place={{ path: [], ...port }}
      problem={problem}
      onChange={change}
      onClear={
        field.default === undefined
          ? undefined
          : () => perform(clearInput([], port.node, port.input))
      }
    />
  );
}
