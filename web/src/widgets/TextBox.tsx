import { useLayoutEffect, useRef, useState } from "react";
import type { KeyboardEvent } from "react";

import { weigh } from "../graph/weights";
import { useEditor } from "../state/store";
import { useGesture } from "./gesture";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string, gesture: string) => void;
  readonly placeholder?: string | undefined;
  readonly disabled?: boolean;
  readonly invalid?: boolean;
  readonly describedBy?: string | undefined;
}

/**
 * Undo within a text: the browser takes back what was typed since the field got the focus; once that is used up,
 * the graph's own steps are next.
 */
function useOwnUndo(value: string) {
  const start = useRef(value);
  const gesture = useGesture();
  return {
    gesture,
    begin: () => {
      gesture.begin();
      start.current = value;
    },
    handle: (event: KeyboardEvent): boolean => {
      const undoes = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey);
      if (!undoes || event.shiftKey || value !== start.current) return false;
      event.preventDefault();
      useEditor.getState().undo();
      return true;
    },
  };
}

/** A line of text. */
export function TextBox({ label, value, onChange, placeholder, ...rest }: Props) {
  const undo = useOwnUndo(value);
  return (
    <div className="field-box text nodrag">
      <input
        type="text"
        autoComplete="off"
        spellCheck={false}
        aria-label={label}
        aria-invalid={rest.invalid === true}
        aria-describedby={rest.describedBy}
        placeholder={placeholder}
        disabled={rest.disabled}
        value={value}
        onFocus={undo.begin}
        onChange={(event) => onChange(event.target.value, undo.gesture.current())}
        onKeyDown={(event) => void undo.handle(event)}
      />
    </div>
  );
}

interface AreaProps extends Props {
  readonly rows?: number;
  /** As high as its place, instead of as its text. */
  readonly fill?: boolean;
}

/** A longer text that grows with what is typed; Ctrl+Up and Ctrl+Down weigh the word or the selection. */
export function TextArea({
  label,
  value,
  onChange,
  placeholder,
  rows = 3,
  fill = false,
  ...rest
}: AreaProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const selection = useRef<readonly [number, number] | null>(null);
  const [focused, setFocused] = useState(false);
  const undo = useOwnUndo(value);

  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    if (!fill) {
      element.style.height = "auto";
      element.style.height = `${element.scrollHeight + 2}px`;
    }
    if (selection.current !== null) element.setSelectionRange(...selection.current);
    selection.current = null;
  }, [value, fill]);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (undo.handle(event)) return;
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction === undefined || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const { selectionStart, selectionEnd } = event.currentTarget;
    const weighed = weigh(value, selectionStart, selectionEnd, direction * 0.1);
    if (weighed === null) return;
    selection.current = [weighed.start, weighed.end];
    onChange(weighed.text, undo.gesture.current());
  };

  return (
    <div className="field-box area nodrag">
      <textarea
        ref={area}
        className={focused ? "nowheel" : ""}
        data-fill={fill || undefined}
        rows={rows}
        aria-label={label}
        aria-invalid={rest.invalid === true}
        aria-describedby={rest.describedBy}
        placeholder={placeholder}
        disabled={rest.disabled}
        value={value}
        onFocus={() => {
          setFocused(true);
          undo.begin();
        }}
        onBlur={() => setFocused(false)}
        onChange={(event) => onChange(event.target.value, undo.gesture.current())}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}
