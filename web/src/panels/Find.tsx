import { useEffect, useMemo, useRef, useState } from "react";

import { find, type Found } from "../graph/find";
import { samePath, trailTo } from "../graph/graphs";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { activeTab, activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { useFocusReturn } from "./modal";

/** Finds nodes and notes of all graphs by title, type, id or value, and goes from one to the next. */
export function Find() {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const workflow = useEditor(activeWorkflow);
  const close = useEditor((state) => state.closeOverlay);
  const box = useRef<HTMLInputElement>(null);
  const found = useMemo(() => (query === "" ? [] : find(workflow, query)), [workflow, query]);
  useFocusReturn(box);
  useEffect(() => box.current?.focus(), []);
  const go = (to: number) => {
    const index = found.length === 0 ? 0 : (to + found.length) % found.length;
    setAt(index);
    const place = found[index];
    if (place !== undefined) show(place, "showItem");
    box.current?.focus({ preventScroll: true });
  };
  /** Close it, and go on at what was found. */
  const leave = () => {
    const place = found[at];
    close();
    if (place !== undefined) show(place, "focusItem");
  };
  return (
    <div className="find" role="search" aria-label={say("find.title")}>
      <input
        ref={box}
        className="pick-box"
        aria-label={say("find.title")}
        placeholder={say("find.placeholder")}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(event.shiftKey ? at - 1 : at + 1);
          if (event.key !== "Escape") return;
          event.stopPropagation();
          leave();
        }}
      />
      <span className="quiet small find-count" aria-live="polite">
        {query !== "" &&
          (found.length === 0
            ? say("find.nothing", { text: query })
            : say("find.count", { at: Math.max(0, at) + 1, of: found.length }))}
      </span>
      <FindButton code="find.previous" icon="chevron-up" onClick={() => go(at - 1)} />
      <FindButton code="find.next" icon="chevron-down" onClick={() => go(at + 1)} />
      <FindButton code="find.close" icon="close" onClick={leave} />
    </div>
  );
}

/** Go to the graph where it is, and select it; the focus goes along only at the end. */
function show({ path, node, note }: Found, how: "showItem" | "focusItem"): void {
  const editor = useEditor.getState();
  const tab = activeTab(editor);
  if (!samePath(tab.path, path))
    editor.changeTab(tab.id, { path, trail: trailTo(tab.workflow, path) ?? [] });
  const id = node ?? (note === undefined ? null : `note:${note}`);
  if (id === null) return;
  editor.select([id]);
  setTimeout(() => useEditor.getState().view?.[how](id), 0);
}

interface ButtonProps {
  readonly code: "find.previous" | "find.next" | "find.close";
  readonly icon: "chevron-up" | "chevron-down" | "close";
  readonly onClick: () => void;
}

function FindButton({ code, icon, onClick }: ButtonProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={say(code)}
      title={say(code)}
      onClick={onClick}
    >
      <Icon name={icon} small />
    </button>
  );
}
