import { useEffect, useMemo, useRef, useState } from "react";

import { Icon } from "../look/Icon";
import { formInputs, modelInputs, sizePairs } from "../state/form";
import type { FormInput } from "../state/form";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { FormArranger } from "./FormArranger";
import { FormLine } from "./FormLine";
import { NoModel } from "./NoModel";
import { SizeLine } from "./SizeLine";
import "./inspector.css";
import "./form.css";

/** The workflow's named inputs as a form. The same document: every line stands for an input of the graph. */
export function FormView() {
  const workflow = useEditor(activeWorkflow);
  const catalogue = useEditor((state) => state.catalogue);
  const [isArranging, setIsArranging] = useState(false);
  const inputs = useMemo(() => formInputs(workflow, [], catalogue), [workflow, catalogue]);
  const models = useMemo(
    () => modelInputs(workflow, inputs, catalogue),
    [workflow, inputs, catalogue],
  );
  const box = useFirstFocus(inputs.length > 0);
  const description = workflow["description"];

  return (
    <div className="form" ref={box}>
      <header className="form-head">
        <div>
          <h2>{workflow.name}</h2>
          {typeof description === "string" && <p className="quiet">{description}</p>}
        </div>
        <button
          type="button"
          className="icon-button"
          aria-pressed={isArranging}
          aria-label={say("form.arrange")}
          title={say("form.arrange")}
          onClick={() => setIsArranging(!isArranging)}
        >
          <Icon name="pencil" small />
        </button>
      </header>
      <NoModel needed={[...inputs, ...models].filter(({ field }) => field.kind === "file")} />
      {isArranging ? (
        <FormArranger inputs={inputs} />
      ) : (
        sectionsOf(inputs).map((section) => (
          <Section key={section.inputs[0]?.name} title={section.title} inputs={section.inputs} />
        ))
      )}
      {inputs.length === 0 && <p className="form-none">{say("form.empty")}</p>}
      {models.length > 0 && !isArranging && (
        <Section title={say(models.length === 1 ? "form.model" : "form.models")} inputs={models} />
      )}
    </div>
  );
}

/** The first text has the focus when the page opens, so that one can type at once. */
function useFirstFocus(isReady: boolean) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isReady || document.activeElement !== document.body) return;
    const first = box.current?.querySelector("textarea");
    first?.focus({ preventScroll: true });
    first?.setSelectionRange(first.value.length, first.value.length);
  }, [isReady]);
  return box;
}

interface SectionPart {
  readonly title: string | undefined;
  readonly inputs: readonly FormInput[];
}

function sectionsOf(inputs: readonly FormInput[]): readonly SectionPart[] {
  const sections: { title: string | undefined; inputs: FormInput[] }[] = [];
  for (const input of inputs) {
    const last = sections.at(-1);
    if (last === undefined || input.section !== undefined)
      sections.push({ title: input.section, inputs: [input] });
    else last.inputs.push(input);
  }
  return sections;
}

function Section({ title, inputs }: SectionPart) {
  const pairs = sizePairs(inputs);
  const lines = (
    <div className="lines">
      {inputs.map((input) => {
        const pair = pairs.find(({ width }) => width === input);
        if (pair !== undefined) return <SizeLine key={input.name} pair={pair} />;
        if (pairs.some(({ height }) => height === input)) return null;
        return <FormLine key={`${input.port.node} ${input.name}`} input={input} />;
      })}
    </div>
  );
  if (title === undefined || title === "") return lines;
  return (
    <details className="form-section" open>
      <summary>
        <Icon name="chevron-right" small />
        {title}
      </summary>
      {lines}
    </details>
  );
}
