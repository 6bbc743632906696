import { useEffect } from "react";

import { Icon } from "../look/Icon";
import { nearest } from "../state/near";
import { useEditor } from "../state/store";
import { say } from "../words";
import { Picker } from "./Picker";
import { sizeText } from "./sizes";

interface Props {
  readonly label: string;
  /** The kind of files, as the schema names it. */
  readonly files: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly disabled?: boolean;
  readonly describedBy?: string | undefined;
}

/** A model file. One that is missing is said so, with the likest one that is there. */
export function FilePicker({
  label,
  files,
  value,
  onChange,
  disabled = false,
  describedBy,
}: Props) {
  const models = useEditor((state) => state.models);
  const reading = useEditor((state) => state.modelsReading);
  const refresh = useEditor((state) => state.refreshModels);
  useEffect(() => {
    if (reading === "unread") void refresh();
  }, [reading, refresh]);

  const fitting = models.filter((model) => model.kind === files);
  const names = fitting.map((model) => model.name);
  const isMissing = reading === "read" && value !== "" && !names.includes(value);
  const chosen = fitting.find((model) => model.name === value);
  const problem = isMissing
    ? say("widget.missingFile", { name: value })
    : chosen !== undefined && chosen.fault !== ""
      ? chosen.fault
      : undefined;
  const usable = fitting.filter((model) => model.fault === "").map((model) => model.name);
  const [near = usable.length === 1 ? usable[0] : undefined] = nearest(value, usable, 1);

  return (
    <div className="file nodrag">
      <Picker
        label={label}
        chosen={value}
        disabled={disabled}
        problem={problem}
        describedBy={describedBy}
        picks={fitting.map(({ name, bytes, family, fault }) => ({
          key: name,
          title: name,
          hint: [family, sizeText(bytes)].filter(Boolean).join(" · "),
          ...(fault === "" ? {} : { fault }),
        }))}
        onPick={onChange}
        footer={
          <button type="button" className="button bare picker-foot" onClick={() => void refresh()}>
            <Icon name="refresh" small />
            {say("widget.lookAgain")}
          </button>
        }
      />
      {problem !== undefined && (
        <p className="field-problem" role="alert">
          <Icon name="warning" small />
          <span>
            {problem}
            {near !== undefined && near !== value && (
              <button type="button" className="remedy" onClick={() => onChange(near)}>
                {say("widget.takeInstead", { name: near })}
              </button>
            )}
          </span>
        </p>
      )}
    </div>
  );
}
