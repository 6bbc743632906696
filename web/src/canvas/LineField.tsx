import { useEffect, useRef } from "react";

interface LineProps {
  readonly text: string;
  readonly label: string;
  /** The new text; null: nothing changes. */
  readonly onDone: (text: string | null) => void;
}

/** A line of text in place of the text itself, until it is done. */
export function LineField({ text, label, onDone }: LineProps) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.select(), []);
  return (
    <input
      ref={box}
      className="node-title-edit nodrag"
      aria-label={label}
      defaultValue={text}
      onBlur={(event) => onDone(event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") onDone(event.currentTarget.value.trim());
        if (event.key === "Escape") onDone(null);
      }}
    />
  );
}
