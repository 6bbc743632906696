import type { ReactNode } from "react";

import type { Value } from "../graph/document";
import type { Field } from "../graph/schema";
import { mainName, typeText } from "../graph/types";
import { isAxis, isLink } from "../graph/values";
import { Glyph } from "../look/Glyph";
import { Icon } from "../look/Icon";
import type { IconName } from "../look/Icon";
import { say } from "../words";
import { firstOf, sweepOf } from "../widgets/AxisBox";
import { faultText } from "../widgets/faults";
import { FieldWidget } from "../widgets/FieldWidget";
import { freshValue } from "../widgets/fresh";
import type { FieldPlace } from "../widgets/props";

interface Props {
  readonly field: Field;
  readonly title: string;
  /** The accessible name. */
  readonly label: string;
  readonly value: Value | undefined;
  readonly place: FieldPlace | undefined;
  readonly onChange: (value: Value, gesture?: string) => void;
  readonly onClear?: (() => void) | undefined;
  /** What a check or a run found wrong here. */
  readonly problem?: string | undefined;
  readonly disabled?: boolean;
  readonly mixed?: boolean;
  /** Title and value in one row, where the value is short. */
  readonly dense?: boolean;
  /** Further buttons of the line. */
  readonly actions?: ReactNode;
}

/** A field with its title, its port's glyph, its description, and what can be done with it. */
export function FieldLine(props: Props) {
  const { field, title, label, value, place, onChange, onClear, mixed = false } = props;
  const problem = faultText(field, value) ?? props.problem;
  const isWired = isLink(value);
  const sweeps = isAxis(value);
  const maySweep = field.kind !== "link" && !isWired;
  const isShort = short.has(field.kind) || (field.kind === "boolean" && !sweeps);
  const inline =
    props.dense === true ? isWired || (isShort && !sweeps) : field.kind === "boolean" && !sweeps;
  return (
    <div className={inline ? "line inline" : "line"} data-input={place?.input} tabIndex={-1}>
      <div className="line-head">
        <Glyph type={mainName(field.type)} />
        <span className="line-title" title={hint(field)}>
          {title}
        </span>
        {mixed && <span className="line-note">{say("inspect.mixed")}</span>}
        <span className="line-actions">
          {onClear !== undefined && value !== undefined && !isWired && (
            <LineButton icon="reset" name="line.reset" label={label} onClick={onClear} />
          )}
          {maySweep && (
            <LineButton
              icon="sweep"
              name={sweeps ? "widget.sweepEnd" : "widget.sweep"}
              label={label}
              pressed={sweeps}
              onClick={() =>
                onChange(sweeps ? (firstOf(value) ?? freshValue(field)) : swept(field, value))
              }
            />
          )}
          {props.actions}
        </span>
      </div>
      <FieldWidget
        field={field}
        value={value}
        label={label}
        place={place}
        disabled={props.disabled ?? false}
        problem={problem}
        onChange={onChange}
      />
    </div>
  );
}

/** What has room beside its title. */
const short = new Set<Field["kind"]>(["number", "integer", "choice", "boolean", "link"]);

const swept = (field: Field, value: Value | undefined) =>
  sweepOf(field, value ?? field.default ?? freshValue(field));

const hint = (field: Field) =>
  [field.description, typeText(field.type)].filter((text) => text !== "").join("\n");

interface ButtonProps {
  readonly icon: IconName;
  readonly name: Parameters<typeof say>[0];
  readonly label: string;
  readonly pressed?: boolean;
  readonly onClick: () => void;
}

/** A small button of a line, named after what it does and for which field. */
export function LineButton({ icon, name, label, pressed, onClick }: ButtonProps) {
  return (
    <button
      type="button"
      className="icon-button line-button"
      aria-label={`${say(name)}, ${label}`}
      aria-pressed={pressed}
      title={say(name)}
      onClick={onClick}
    >
      <Icon name={icon} small />
    </button>
  );
}
