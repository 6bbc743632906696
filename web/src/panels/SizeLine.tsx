import { setNamedInput } from "../graph/commands/form";
import { together } from "../graph/commands/command";
import { numberOf } from "../graph/json";
import type { Field } from "../graph/schema";
import { isAxis, isLink } from "../graph/values";
import { Icon } from "../look/Icon";
import { shapeOf, shapesFor } from "../state/form";
import type { FormInput, Shape, SizePair } from "../state/form";
import { useEditor } from "../state/store";
import { say } from "../words";
import { faultText } from "../widgets/faults";
import { FieldWidget } from "../widgets/FieldWidget";
import { FormLine, useFormChange, useFormLabel, useFormProblem } from "./FormLine";

interface Props {
  readonly pair: SizePair;
}

const isPlain = ({ value }: FormInput) => !isLink(value) && !isAxis(value);

/** A size: its shape by one press, or both lengths. */
export function SizeLine({ pair }: Props) {
  const { width, height } = pair;
  const perform = useEditor((state) => state.perform);
  if (!isPlain(width) || !isPlain(height))
    return (
      <>
        <FormLine input={width} />
        <FormLine input={height} />
      </>
    );
  const lengths = { width: lengthOf(width), height: lengthOf(height) };
  const take = (size: { readonly width: number; readonly height: number }) =>
    perform(
      together(
        "set_size",
        setNamedInput([], width.name, size.width),
        setNamedInput([], height.name, size.height),
      ),
    );
  return (
    <fieldset className="size line">
      <legend className="line-title">{say("form.size")}</legend>
      <div className="chips">
        {shapesFor(lengths.width, lengths.height, gridOf(width.field)).map((shape) => (
          <ShapeChip
            key={shape.code}
            shape={shape}
            isChosen={shapeOf(lengths.width, lengths.height) === shape.code}
            onChoose={() => take(shape)}
          />
        ))}
      </div>
      <div className="size-lengths">
        <Length input={width} />
        <button
          type="button"
          className="icon-button"
          aria-label={say("form.swap")}
          title={say("form.swap")}
          onClick={() => take({ width: lengths.height, height: lengths.width })}
        >
          <Icon name="swap" small />
        </button>
        <Length input={height} />
      </div>
    </fieldset>
  );
}

const lengthOf = ({ value, field }: FormInput): number =>
  numberOf(value) ?? numberOf(field.default) ?? 512;

const gridOf = (field: Field): number =>
  field.kind === "integer" ? (field.multipleOf ?? field.step ?? 8) : 8;

function Length({ input }: { readonly input: FormInput }) {
  const change = useFormChange(input);
  const found = useFormProblem(input);
  return (
    <FieldWidget
      field={input.field}
      value={input.value}
      label={useFormLabel(input)}
      problem={faultText(input.field, input.value) ?? found}
      onChange={change}
    />
  );
}

interface ChipProps {
  readonly shape: Shape;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

function ShapeChip({ shape, isChosen, onChoose }: ChipProps) {
  const { code, width, height } = shape;
  const longest = Math.max(width, height);
  return (
    <button
      type="button"
      className="chip shape"
      aria-pressed={isChosen}
      title={`${width} × ${height}`}
      onClick={onChoose}
    >
      <span
        className="shape-mark"
        style={{ width: `${width / longest}em`, height: `${height / longest}em` }}
      />
      {say(`form.${code}`)}
    </button>
  );
}
