import { useId } from "react";

import type { Json } from "../graph/document";
import { float, numberOf } from "../graph/json";
import type { Field } from "../graph/schema";
import { isAxis, isLink } from "../graph/values";
import { Icon } from "../look/Icon";
import { say } from "../words";
import { AxisBox } from "./AxisBox";
import { ColourBox } from "./ColourBox";
import { FilePicker } from "./FilePicker";
import { freshValue } from "./fresh";
import { JsonBox } from "./JsonBox";
import { LinkedBox } from "./LinkedBox";
import { ListBox } from "./ListBox";
import { NumberBox } from "./NumberBox";
import { scaleOf } from "./numbers";
import { ObjectBox } from "./ObjectBox";
import { Picker } from "./Picker";
import { PictureField } from "./PictureField";
import type { WidgetProps } from "./props";
import { SeedField } from "./SeedField";
import { Switch } from "./Switch";
import { TextArea, TextBox } from "./TextBox";
import { UnionBox } from "./UnionBox";
import "./widgets.css";
import "./composites.css";
import "./pickers.css";
import "./pictures.css";

/** The widget of a field, by its kind; the same in node bodies, inspector and form. */
export function FieldWidget(props: WidgetProps<Field>) {
  const { field, value, problem, compact = false } = props;
  const id = useId();
  const describedBy = problem === undefined ? undefined : id;
  const shown = value === undefined ? field.default : value;
  return (
    <div
      className={compact ? "widget compact" : "widget"}
      data-kind={field.kind}
      title={compact ? problem : undefined}
    >
      {isLink(value) ? (
        <LinkedBox link={value} label={props.label} path={props.place?.path} />
      ) : isAxis(value) ? (
        <AxisBox {...props} Inner={FieldWidget} axis={value} />
      ) : field.nullable && (shown === undefined || shown === null) ? (
        <Unset {...props} />
      ) : (
        <Given {...props} shown={shown} describedBy={describedBy} />
      )}
      {problem !== undefined && (
        <p className={compact ? "unseen" : "field-problem"} id={id}>
          <Icon name="error" small />
          {problem}
        </p>
      )}
    </div>
  );
}

/** An input that may be without a value, and is. */
function Unset({ field, label, disabled = false, onChange }: WidgetProps<Field>) {
  if (field.kind === "link") return <span className="unset">{say("widget.unset")}</span>;
  return (
    <button
      type="button"
      className="button bare unset"
      aria-label={`${say("widget.give")}, ${label}`}
      disabled={disabled}
      onClick={() => onChange(freshValue({ ...field, default: undefined }))}
    >
      {say("widget.unset")}
    </button>
  );
}

interface GivenProps extends WidgetProps<Field> {
  readonly shown: Json | undefined;
  readonly describedBy: string | undefined;
}

function Given({ shown, describedBy, ...props }: GivenProps) {
  const { field, onChange, label, disabled = false, problem, compact = false, place } = props;
  const common = { label, disabled, describedBy, invalid: problem !== undefined };
  const text = typeof shown === "string" ? shown : "";
  switch (field.kind) {
    case "number":
    case "integer": {
      const whole = field.kind === "integer";
      return (
        <NumberBox
          {...common}
          value={numberOf(shown) ?? undefined}
          scale={scaleOf(field, whole)}
          onChange={(next, gesture) => onChange(whole ? next : float(next), gesture)}
        />
      );
    }
    case "seed":
      return (
        <SeedField {...common} field={field} value={shown} onChange={onChange} place={place} />
      );
    case "text":
      return <TextBox {...common} value={text} onChange={onChange} />;
    case "multiline":
      return (
        <TextArea
          {...common}
          value={text}
          onChange={onChange}
          rows={compact ? 1 : 2}
          fill={compact}
        />
      );
    case "colour":
      return <ColourBox {...common} value={text} onChange={onChange} />;
    case "choice":
      return (
        <Picker
          {...common}
          problem={problem}
          chosen={choiceKey(shown)}
          picks={field.choices.map((choice) => ({
            key: choiceKey(choice),
            title: choiceKey(choice),
          }))}
          onPick={(key) => {
            const found = field.choices.find((choice) => choiceKey(choice) === key);
            if (found !== undefined) onChange(found);
          }}
        />
      );
    case "boolean":
      return <Switch {...common} value={shown === true} onChange={onChange} />;
    case "file":
      return <FilePicker {...common} files={field.files} value={text} onChange={onChange} />;
    case "image":
      return <PictureField {...common} value={text} onChange={onChange} place={place} />;
    case "list":
      return <ListBox {...props} Inner={FieldWidget} field={field} value={shown} />;
    case "union":
      return <UnionBox {...props} Inner={FieldWidget} field={field} value={shown} />;
    case "object":
      return <ObjectBox {...props} Inner={FieldWidget} field={field} value={shown} />;
    case "json":
      return <JsonBox {...common} value={shown} onChange={onChange} />;
    case "link":
      return <span className="unset">{say("widget.takesWire")}</span>;
  }
}

const choiceKey = (choice: Json | undefined): string =>
  typeof choice === "string" ? choice : JSON.stringify(choice ?? null);
