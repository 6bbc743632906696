import type { Json } from "../graph/document";
import { isList } from "../graph/json";
import type { ListField } from "../graph/schema";
import { Icon } from "../look/Icon";
import { say } from "../words";
import { freshValue } from "./fresh";
import type { Nesting, WidgetProps } from "./props";

/** Several values of one kind: added, taken out, moved up and down. */
export function ListBox({
  field,
  value,
  onChange,
  label,
  disabled = false,
  Inner,
}: WidgetProps<ListField> & Nesting) {
  const items = isList(value) ? value : [];
  const isFull = field.maxItems !== undefined && items.length >= field.maxItems;
  const isLeast = items.length <= (field.minItems ?? 0);

  const replace = (index: number, item: Json, gesture?: string) =>
    onChange(items.with(index, item), gesture);
  const move = (from: number, to: number) => {
    const item = items[from];
    if (item === undefined || to < 0 || to >= items.length) return;
    onChange(items.toSpliced(from, 1).toSpliced(to, 0, item));
  };

  return (
    <div className="list-box nodrag" role="group" aria-label={label}>
      <ol>
        {items.map((item, index) => (
          // Items have no ids of their own: their places are all that tells them apart.
          <li key={index} className="list-item">
            <Inner
              field={field.item}
              value={item}
              label={`${label} ${index + 1}`}
              disabled={disabled}
              onChange={(next, gesture) => replace(index, next, gesture)}
            />
            <ItemButtons
              label={`${label} ${index + 1}`}
              first={index === 0}
              last={index === items.length - 1}
              fixed={isLeast || disabled}
              disabled={disabled}
              onMove={(by) => move(index, index + by)}
              onRemove={() => onChange(items.toSpliced(index, 1))}
            />
          </li>
        ))}
      </ol>
      {field.item.kind !== "link" && (
        <button
          type="button"
          className="button bare add"
          aria-label={`${say("widget.add")}, ${label}`}
          disabled={disabled || isFull}
          onClick={() => onChange([...items, items.at(-1) ?? freshValue(field.item)])}
        >
          <Icon name="plus" small />
          {say("widget.add")}
        </button>
      )}
    </div>
  );
}

interface ItemButtonsProps {
  readonly label: string;
  readonly first: boolean;
  readonly last: boolean;
  readonly fixed: boolean;
  readonly disabled: boolean;
  readonly onMove: (by: 1 | -1) => void;
  readonly onRemove: () => void;
}

function ItemButtons({ label, first, last, fixed, disabled, onMove, onRemove }: ItemButtonsProps) {
  return (
    <span className="item-buttons">
      <button
        type="button"
        className="icon-button"
        aria-label={`${say("widget.moveUp")}, ${label}`}
        disabled={disabled || first}
        onClick={() => onMove(-1)}
      >
        <Icon name="chevron-up" small />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`${say("widget.moveDown")}, ${label}`}
        disabled={disabled || last}
        onClick={() => onMove(1)}
      >
        <Icon name="chevron-down" small />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`${say("widget.remove")}, ${label}`}
        disabled={fixed}
        onClick={onRemove}
      >
        <Icon name="close" small />
      </button>
    </span>
  );
}
