import type { Axis, Json, Range, Value } from "../graph/document";
import { float, numberOf } from "../graph/json";
import type { Field, ListField, NumberField } from "../graph/schema";
import { isRange, rangeLength } from "../graph/values";
import { Icon } from "../look/Icon";
import { say, sayCount } from "../words";
import { ListBox } from "./ListBox";
import { NumberBox } from "./NumberBox";
import { Radios } from "./Radios";
import type { Nesting } from "./props";
import { scaleOf } from "./numbers";
import type { Scale } from "./numbers";

interface Props extends Nesting {
  readonly field: Field;
  readonly axis: Axis;
  readonly label: string;
  readonly onChange: (value: Value, gesture?: string) => void;
  readonly disabled?: boolean;
}

const isNumeric = (field: Field): field is NumberField =>
  field.kind === "number" || field.kind === "integer" || field.kind === "seed";

/** The values that a sweep starts with: the one that stands there and, of a number or a choice, one beside it. */
export function sweepOf(field: Field, value: Json): Axis {
  return { $axis: [value, beside(field, value)] };
}

function beside(field: Field, value: Json): Json {
  if (field.kind === "choice") return field.choices.find((each) => each !== value) ?? value;
  const number = numberOf(value);
  if (!isNumeric(field) || number === null) return value;
  const scale = scaleOf(field, field.kind !== "number");
  const above = number + scale.step;
  const next = above <= scale.most ? above : number - scale.step;
  return scale.whole ? next : float(next);
}

/** The value that stays when a sweep ends: its first. */
export function firstOf(axis: Axis): Json | undefined {
  return isRange(axis.$axis) ? axis.$axis.$range.from : axis.$axis[0];
}

/** Several values for one input: a list of them, or a range of numbers. */
export function AxisBox({ field, axis, label, onChange, disabled = false, Inner }: Props) {
  const list = axis.$axis;
  const range = isRange(list) ? list : null;
  const count = isRange(list) ? rangeLength(list) : list.length;
  const set = (next: Axis["$axis"], gesture?: string) =>
    onChange({ ...axis, $axis: next }, gesture);
  const items: ListField = {
    ...field,
    kind: "list",
    item: { ...field, required: true },
    minItems: 1,
  };
  return (
    <div className="axis-box nodrag" role="group" aria-label={`${label}: ${say("widget.sweep")}`}>
      <div className="axis-head">
        <Icon name="sweep" small />
        {isNumeric(field) && (
          <Kinds
            label={label}
            isRange={range !== null}
            disabled={disabled}
            onKind={(kind) => set(kind === "range" ? rangeFrom(axis, field) : listFrom(axis))}
          />
        )}
        <span className="quiet small">{sayCount("widget.oneCell", "widget.cells", count)}</span>
      </div>
      {range !== null && isNumeric(field) ? (
        <RangeBox field={field} range={range} label={label} onChange={set} disabled={disabled} />
      ) : (
        <ListBox
          Inner={Inner}
          field={items}
          value={isRange(list) ? [] : list}
          label={label}
          disabled={disabled}
          onChange={(next, gesture) => {
            if (Array.isArray(next)) set(next, gesture);
          }}
        />
      )}
      {count === 0 && (
        <p className="field-problem" role="alert">
          <Icon name="warning" small />
          {say("widget.noCells")}
        </p>
      )}
    </div>
  );
}

function rangeFrom(axis: Axis, field: NumberField): Range {
  const scale = scaleOf(field, field.kind !== "number");
  const from = numberOf(firstOf(axis)) ?? 0;
  const value = (number: number) => (scale.whole ? number : float(number));
  const to = Math.min(scale.most, from + 3 * scale.step);
  return { $range: { from: value(from), to: value(to), step: value(scale.step) } };
}

function listFrom(axis: Axis): readonly Json[] {
  if (!isRange(axis.$axis)) return axis.$axis;
  const { from, to } = axis.$axis.$range;
  return to === undefined ? [from] : [from, to];
}

interface RangeProps {
  readonly field: NumberField;
  readonly range: Range;
  readonly label: string;
  readonly onChange: (range: Range, gesture?: string) => void;
  readonly disabled: boolean;
}

function RangeBox({ field, range, label, onChange, disabled }: RangeProps) {
  const scale = scaleOf(field, field.kind !== "number");
  const free: Scale = { ...scale, least: -Infinity, most: Infinity, multiple: undefined };
  const { from, to, count, step } = range.$range;
  const part = (name: "from" | "to" | "step" | "count", value: Json | undefined, at: Scale) => (
    <label className="axis-part">
      <span>{say(`widget.${name}`)}</span>
      <NumberBox
        label={`${label}: ${say(`widget.${name}`)}`}
        value={numberOf(value) ?? undefined}
        scale={at}
        disabled={disabled}
        onChange={(next, gesture) => {
          const json = scale.whole || name === "count" ? next : float(next);
          onChange({ $range: { ...range.$range, [name]: json } }, gesture);
        }}
      />
    </label>
  );
  return (
    <div className="axis-range">
      {part("from", from, scale)}
      {count === undefined ? part("to", to ?? from, scale) : part("count", count, free)}
      {part("step", step ?? 1, free)}
    </div>
  );
}

interface KindsProps {
  readonly label: string;
  readonly isRange: boolean;
  readonly disabled: boolean;
  readonly onKind: (kind: "list" | "range") => void;
}

function Kinds({ label, isRange, disabled, onKind }: KindsProps) {
  return (
    <Radios
      label={`${label}: ${say("widget.kind")}`}
      choices={["list", "range"]}
      chosen={isRange ? "range" : "list"}
      onChoose={onKind}
      disabled={disabled}
    >
      {(kind) => say(kind === "list" ? "widget.sweepList" : "widget.sweepRange")}
    </Radios>
  );
}
