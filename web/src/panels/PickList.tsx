import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface Row {
  readonly key: string;
  readonly content: ReactNode;
  readonly run: () => void;
}

interface Props {
  readonly label: string;
  readonly placeholder: string;
  readonly query: string;
  readonly rows: readonly Row[];
  readonly nothing: string;
  readonly onQuery: (query: string) => void;
  readonly onKey?: (event: KeyboardEvent, row: Row | undefined) => void;
}

/** A box to type in and what matches: arrows choose, Enter takes. */
export function PickList(props: Props) {
  const { label, placeholder, query, rows, nothing, onQuery, onKey } = props;
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const box = useRef<HTMLInputElement>(null);
  const id = useId();
  const at = Math.min(chosen, Math.max(0, rows.length - 1));
  useEffect(() => box.current?.focus(), []);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen(Math.min(Math.max(0, at + step), Math.max(0, rows.length - 1)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      rows[at]?.run();
    } else onKey?.(event, rows[at]);
  };
  return (
    <div className="pick-list" onKeyDown={onKeyDown}>
      <input
        ref={box}
        className="pick-box"
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={rows[at] === undefined ? undefined : `${id}-${at}`}
        aria-label={label}
        placeholder={placeholder}
        value={query}
        onChange={(event) => {
          setChosen(0);
          onQuery(event.currentTarget.value);
        }}
      />
      <ul ref={list} id={id} role="listbox" aria-label={label} className="pick-rows">
        {rows.map((row, index) => (
          <li
            key={row.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className="pick-row"
            onPointerMove={() => setChosen(index)}
            onClick={row.run}
          >
            {row.content}
          </li>
        ))}
      </ul>
      {rows.length === 0 && <p className="pick-nothing">{nothing}</p>}
    </div>
  );
}
