import { useState } from "react";

import { hideInput, moveInput, renameInput } from "../graph/commands/form";
import { Icon } from "../look/Icon";
import { setSection } from "../state/form";
import type { FormInput } from "../state/form";
import { useEditor } from "../state/store";
import { say } from "../words";
import { NameBox } from "./NameBox";

interface Props {
  readonly inputs: readonly FormInput[];
}

/** The form's lines to be named, ordered, put under headings, and taken out. */
export function FormArranger({ inputs }: Props) {
  const perform = useEditor((state) => state.perform);
  const [dragged, setDragged] = useState<string | null>(null);
  return (
    <ol className="arranger">
      {inputs.map((input, index) => (
        <li
          key={input.name}
          className={dragged === input.name ? "arranged dragged" : "arranged"}
          onDragOver={(event) => {
            if (dragged !== null) event.preventDefault();
          }}
          onDrop={(event) => {
            event.preventDefault();
            if (dragged !== null) perform(moveInput([], dragged, index));
            setDragged(null);
          }}
        >
          {input.section !== undefined && <Heading input={input} title={input.section} />}
          <div className="arranged-line">
            <span
              className="grip"
              draggable
              onDragStart={(event) => {
                event.dataTransfer.effectAllowed = "move";
                event.dataTransfer.setData("text/plain", input.name);
                setDragged(input.name);
              }}
              onDragEnd={() => setDragged(null)}
            >
              <Icon name="grip" small />
            </span>
            <NameBox
              label={say("form.nameOf", { name: input.name })}
              value={input.name}
              onName={(name) => perform(renameInput([], input.name, name))}
            />
            <Buttons input={input} index={index} count={inputs.length} />
          </div>
        </li>
      ))}
    </ol>
  );
}

function Heading({ input, title }: { readonly input: FormInput; readonly title: string }) {
  const perform = useEditor((state) => state.perform);
  return (
    <div className="arranged-heading">
      <NameBox
        label={say("form.headingAbove", { name: input.name })}
        value={title}
        onName={(name) => perform(setSection([], input.name, name))}
      />
      <button
        type="button"
        className="icon-button"
        aria-label={say("form.noHeading", { name: input.name })}
        title={say("form.noHeading", { name: input.name })}
        onClick={() => perform(setSection([], input.name, undefined))}
      >
        <Icon name="close" small />
      </button>
    </div>
  );
}

interface ButtonsProps {
  readonly input: FormInput;
  readonly index: number;
  readonly count: number;
}

function Buttons({ input, index, count }: ButtonsProps) {
  const perform = useEditor((state) => state.perform);
  const { name } = input;
  const buttons = [
    {
      icon: "chevron-up",
      code: "form.up",
      off: index === 0,
      act: () => moveInput([], name, index - 1),
    },
    {
      icon: "chevron-down",
      code: "form.down",
      off: index === count - 1,
      act: () => moveInput([], name, index + 1),
    },
    {
      icon: "group",
      code: "form.heading",
      off: input.section !== undefined,
      act: () => setSection([], name, say("form.newHeading")),
    },
    { icon: "eye-off", code: "form.hide", off: false, act: () => hideInput([], name) },
  ] as const;
  return buttons.map(({ icon, code, off, act }) => (
    <button
      key={code}
      type="button"
      className="icon-button"
      aria-label={say(code, { name })}
      title={say(code, { name })}
      disabled={off}
      onClick={() => perform(act())}
    >
      <Icon name={icon} small />
    </button>
  ));
}
