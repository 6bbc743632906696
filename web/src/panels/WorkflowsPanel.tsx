import { useEffect, useState } from "react";

import type { WorkflowEntry } from "../api/shapes";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { say } from "../words";
import { DrawerHead } from "./DrawerHead";
import { isFound } from "./found";
import { useHint } from "./hint";
import { WorkflowRow } from "./WorkflowRow";
import "./drawer.css";

/** The saved workflows: one's own, then those that come with Darkroom. */
export function WorkflowsPanel() {
  const shelf = useEditor((state) => state.shelf);
  const reading = useEditor((state) => state.shelfReading);
  const refresh = useEditor((state) => state.refreshShelf);
  const newTab = useEditor((state) => state.newTab);
  const [query, setQuery] = useState("");
  const none = useHint(say("workflows.none"), "file.save");
  useEffect(() => void refresh(), [refresh]);
  const found = shelf.filter(({ name, title, inputs }) => isFound(query, name, title, ...inputs));
  return (
    <>
      <DrawerHead title={say("drawer.workflows")} query={query} onQuery={setQuery}>
        <button
          type="button"
          className="icon-button"
          aria-label={say("workflows.new")}
          title={say("workflows.new")}
          onClick={newTab}
        >
          <Icon name="plus" />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={say("widget.lookAgain")}
          title={say("widget.lookAgain")}
          onClick={() => void refresh()}
        >
          <Icon name="refresh" />
        </button>
      </DrawerHead>
      <div className="drawer-list">
        {reading === "failed" && <p className="notice warning">{say("workflows.failed")}</p>}
        <Shelf title={say("workflows.own")} entries={found.filter((each) => !each.shipped)} />
        {shelf.length > 0 && query === "" && !shelf.some((each) => !each.shipped) && (
          <p className="drawer-none">{none}</p>
        )}
        <Shelf title={say("workflows.shipped")} entries={found.filter((each) => each.shipped)} />
        {found.length === 0 && query !== "" && (
          <p className="drawer-none">{say("widget.nothingFound")}</p>
        )}
      </div>
    </>
  );
}

interface ShelfProps {
  readonly title: string;
  readonly entries: readonly WorkflowEntry[];
}

function Shelf({ title, entries }: ShelfProps) {
  if (entries.length === 0) return null;
  return (
    <section className="drawer-section" aria-label={title}>
      <h3>{title}</h3>
      <ul>
        {entries.map((entry) => (
          <WorkflowRow key={entry.name} entry={entry} />
        ))}
      </ul>
    </section>
  );
}
