import type { ReactNode } from "react";

import { Icon } from "../look/Icon";
import { say } from "../words";

interface Props {
  readonly title: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly children?: ReactNode;
}

/** The head of a drawer: what it is, its buttons, and a search through it. */
export function DrawerHead({ title, query, onQuery, children }: Props) {
  return (
    <header className="drawer-head">
      <div className="drawer-title">
        <h2>{title}</h2>
        <span className="drawer-actions">{children}</span>
      </div>
      <label className="field-box text drawer-search">
        <Icon name="search" small />
        <input
          type="search"
          aria-label={say("drawer.search", { title })}
          placeholder={say("widget.search")}
          value={query}
          onChange={(event) => onQuery(event.target.value)}
        />
      </label>
    </header>
  );
}
