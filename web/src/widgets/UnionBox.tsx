import { isObject } from "../graph/json";
import type { UnionField } from "../graph/schema";
import { say } from "../words";
import { freshOption, optionOf } from "./fresh";
import { Picker } from "./Picker";
import type { Nesting, WidgetProps } from "./props";

/** One of several kinds: which one, and then its own fields. */
export function UnionBox({
  field,
  value,
  onChange,
  label,
  disabled = false,
  Inner,
}: WidgetProps<UnionField> & Nesting) {
  const option = optionOf(field, value);
  const { discriminator } = field;
  return (
    <div className="union-box nodrag" role="group" aria-label={label}>
      <Picker
        label={`${label}: ${say("widget.kind")}`}
        chosen={option?.tag}
        disabled={disabled}
        picks={field.options.map(({ tag, title, description }) => ({
          key: tag,
          title,
          ...(description === "" ? {} : { hint: description }),
        }))}
        onPick={(tag) => {
          const next = field.options.find((each) => each.tag === tag);
          if (next !== undefined) onChange(freshOption(field, next, value));
        }}
      />
      {option !== undefined && (
        <Inner
          field={option.field}
          value={value}
          label={label}
          disabled={disabled}
          onChange={(next, gesture) =>
            onChange(
              discriminator !== undefined && isObject(next)
                ? { [discriminator]: option.tag, ...next }
                : next,
              gesture,
            )
          }
        />
      )}
    </div>
  );
}
