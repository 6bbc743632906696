import { useId, useRef, useState } from "react";
import type { KeyboardEvent, ReactNode, RefObject } from "react";

import { Icon } from "../look/Icon";
import { say } from "../words";
import { Popover } from "./Popover";

export interface Pick {
  readonly key: string;
  readonly title: string;
  /** Said more quietly beside the title. */
  readonly hint?: string;
  /** Why it would not work. */
  readonly fault?: string;
}

interface Props {
  readonly label: string;
  readonly picks: readonly Pick[];
  readonly chosen: string | undefined;
  readonly onPick: (key: string) => void;
  readonly disabled?: boolean;
  readonly problem?: string | undefined;
  readonly describedBy?: string | undefined;
  /** What stands in the box instead of the chosen one's title. */
  readonly shown?: ReactNode;
  /** What stands below the list. */
  readonly footer?: ReactNode;
}

/** Every word of the query must be in the title or hint. */
function found(picks: readonly Pick[], query: string): readonly Pick[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return picks.filter(({ title, hint = "" }) => {
    const text = `${title} ${hint}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** One of several, found by typing. */
export function Picker(props: Props) {
  const { label, picks, chosen, disabled = false, problem, describedBy, shown } = props;
  const box = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState<string | null>(null);
  const close = () => {
    setOpen(null);
    box.current?.focus();
  };
  const title = picks.find((pick) => pick.key === chosen)?.title ?? chosen ?? "";
  return (
    <>
      <button
        ref={box}
        type="button"
        role="combobox"
        className="field-box picker nodrag"
        aria-label={label}
        aria-haspopup="listbox"
        aria-expanded={open !== null}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy}
        disabled={disabled}
        onClick={() => setOpen(open === null ? "" : null)}
        onKeyDown={(event) => {
          const opens = event.key === "ArrowDown" || event.key === "ArrowUp";
          const types =
            event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey;
          if (!opens && !types) return;
          event.preventDefault();
          event.stopPropagation();
          setOpen(types ? event.key : "");
        }}
      >
        <span className="picker-value">{shown ?? title}</span>
        <Icon name="chevron-down" small />
      </button>
      {open !== null && (
        <Popover anchor={box} onClose={close}>
          <List {...props} start={open} onClose={close} />
        </Popover>
      )}
    </>
  );
}

interface ListProps extends Props {
  readonly start: string;
  readonly onClose: () => void;
}

function List({ label, picks, chosen, onPick, footer, start, onClose }: ListProps) {
  const id = useId();
  const [query, setQuery] = useState(start);
  const list = found(picks, query);
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      picks.findIndex((pick) => pick.key === chosen),
    ),
  );
  const active = Math.min(at, list.length - 1);

  const take = (pick: Pick | undefined) => {
    if (pick === undefined) return;
    onPick(pick.key);
    onClose();
  };

  const foot = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (move !== undefined) {
      event.preventDefault();
      setAt(Math.min(list.length - 1, Math.max(0, active + move)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(list[active]);
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      const below = foot.current?.querySelector("button");
      if (event.key === "Tab" && !event.shiftKey && below != null) below.focus();
      else onClose();
    }
  };

  return (
    <div className="picker-list">
      <input
        className="picker-search"
        role="combobox"
        aria-label={`${label}: ${say("widget.search")}`}
        aria-expanded
        aria-controls={id}
        aria-activedescendant={list[active] && `${id}-${active}`}
        placeholder={say("widget.search")}
        value={query}
        autoFocus
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" aria-label={label}>
        {list.map((pick, index) => (
          <li
            key={pick.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={pick.key === chosen}
            className={index === active ? "picker-item active" : "picker-item"}
            ref={index === active ? (item) => item?.scrollIntoView({ block: "nearest" }) : null}
            title={pick.fault}
            onPointerMove={() => setAt(index)}
            onClick={() => take(pick)}
          >
            <span className="picker-mark">
              {pick.key === chosen && <Icon name="check" small />}
            </span>
            <span className="picker-title">{pick.title}</span>
            {pick.fault !== undefined && <Icon name="warning" small />}
            {pick.hint !== undefined && <span className="picker-hint">{pick.hint}</span>}
          </li>
        ))}
        {list.length === 0 && <li className="picker-none">{say("widget.nothingFound")}</li>}
      </ul>
      {footer !== undefined && (
        <Foot box={foot} onClose={onClose}>
          {footer}
        </Foot>
      )}
    </div>
  );
}

interface FootProps {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** What stands below the list: Tab goes there, and from there back to where the list was opened. */
function Foot({ box, onClose, children }: FootProps) {
  return (
    <div
      ref={box}
      className="picker-below"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== "Escape" && event.key !== "Tab") return;
        event.preventDefault();
        const list = box.current?.parentElement;
        if (event.key === "Tab" && event.shiftKey) list?.querySelector("input")?.focus();
        else onClose();
      }}
    >
      {children}
    </div>
  );
}
