import { useState } from "react";

import type { Json, JsonObject } from "../graph/document";
import { isObject } from "../graph/json";
import type { Field, ObjectField } from "../graph/schema";
import { Icon } from "../look/Icon";
import { say } from "../words";
import { freshValue } from "./fresh";
import type { Nesting, WidgetProps } from "./props";

/** A table: fields that are known by name, and further ones where the field takes them. */
export function ObjectBox({
  field,
  value,
  onChange,
  label,
  disabled = false,
  Inner,
}: WidgetProps<ObjectField> & Nesting) {
  const table = isObject(value) ? value : {};
  const set = (name: string, next: Json, gesture?: string) =>
    onChange({ ...table, [name]: next }, gesture);
  const known = new Set(field.properties.map((each) => each.name));
  return (
    <div className="object-box nodrag" role="group" aria-label={label}>
      {field.properties.map((each) => (
        <div key={each.name} className="object-row">
          <span className="object-name" title={each.description}>
            {each.title}
          </span>
          <Inner
            field={each}
            value={table[each.name]}
            label={`${label}: ${each.title}`}
            disabled={disabled}
            onChange={(next, gesture) => set(each.name, next, gesture)}
          />
        </div>
      ))}
      {field.additional !== undefined && (
        <Entries
          Inner={Inner}
          table={table}
          known={known}
          field={field.additional}
          label={label}
          disabled={disabled}
          onChange={onChange}
        />
      )}
    </div>
  );
}

interface EntriesProps extends Nesting {
  readonly table: JsonObject;
  readonly known: ReadonlySet<string>;
  readonly field: Field;
  readonly label: string;
  readonly disabled: boolean;
  readonly onChange: (table: JsonObject, gesture?: string) => void;
}

/** What a table holds under names of one's own. */
function Entries({ table, known, field, label, disabled, onChange, Inner }: EntriesProps) {
  const [name, setName] = useState("");
  const names = Object.keys(table).filter((each) => !known.has(each));
  const isTaken = name in table;
  const add = () => {
    if (name.trim() === "" || isTaken) return;
    onChange({ ...table, [name.trim()]: freshValue(field) });
    setName("");
  };
  return (
    <>
      {names.map((each) => (
        <div key={each} className="object-row">
          <span className="object-name">{each}</span>
          <Inner
            field={field}
            value={table[each]}
            label={`${label}: ${each}`}
            disabled={disabled}
            onChange={(next, gesture) => onChange({ ...table, [each]: next }, gesture)}
          />
          <button
            type="button"
            className="icon-button"
            aria-label={`${say("widget.remove")}, ${label}: ${each}`}
            disabled={disabled}
            onClick={() => {
              onChange(without(table, each));
            }}
          >
            <Icon name="close" small />
          </button>
        </div>
      ))}
      <form
        className="object-row"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <span className="field-box text">
          <input
            aria-label={`${label}: ${say("widget.newName")}`}
            placeholder={say("widget.newName")}
            aria-invalid={isTaken}
            title={isTaken ? say("widget.nameTaken") : undefined}
            disabled={disabled}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </span>
        <button
          type="submit"
          className="icon-button framed"
          aria-label={`${say("widget.add")}, ${label}`}
          disabled={disabled || name.trim() === "" || isTaken}
        >
          <Icon name="plus" small />
        </button>
      </form>
    </>
  );
}

function without(table: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(table).filter(([each]) => each !== name));
}
