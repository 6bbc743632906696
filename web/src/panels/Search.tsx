import { useMemo, useState, type ReactNode } from "react";

import { categoriesOf, search, type Hit, type SearchOptions } from "../graph/search";
import { typeText } from "../graph/types";
import { Wiring } from "../graph/wiring";
import { Icon } from "../look/Icon";
import type { Overlay, PortRef, Purpose } from "../state/canvas";
import { useEditor, type EditorState } from "../state/store";
import { activeGraph, activeTab } from "../state/tabs";
import { titleIn } from "../state/titles";
import { say } from "../words";
import { Floating } from "./Floating";
import { PickList, type Row } from "./PickList";

type Searching = Extract<Overlay, { readonly kind: "search" }>;
const MOST = 60;

/** Finds a node type to add, to wire to a port, or to put in another's place. */
export function Search({ overlay }: { readonly overlay: Searching }) {
  const [query, setQuery] = useState("");
  const [category, setCategory] = useState<string | null>(null);
  const catalogue = useEditor((state) => state.catalogue);
  const recent = useEditor((state) => state.recentTypes);
  const pinned = useEditor((state) => state.pinnedTypes);
  const pin = useEditor((state) => state.togglePinnedType);
  const close = useEditor((state) => state.closeOverlay);
  const port = useMemo(() => portOf(useEditor.getState(), overlay.purpose), [overlay]);
  const hits = useMemo(
    () =>
      search(catalogue, query, {
        recent,
        pinned,
        most: MOST,
        ...(category === null ? {} : { category }),
        ...(port === undefined ? {} : { port }),
      }),
    [catalogue, query, category, recent, pinned, port],
  );
  const rows = hits.map((hit): Row => ({
    key: hit.type.name,
    content: <HitRow hit={hit} onPin={() => pin(hit.type.name)} />,
    run: () => choose(hit, overlay),
  }));
  return (
    <Floating at={overlay.at} label={titleOf(overlay.purpose, port)} onClose={close}>
      <div className="search">
        <Categories chosen={category} onChoose={setCategory} />
        <PickList
          label={titleOf(overlay.purpose, port)}
          placeholder={say("search.placeholder")}
          query={query}
          rows={rows}
          nothing={
            query === "" ? say("search.nothingFits") : say("search.nothing", { text: query })
          }
          onQuery={setQuery}
          onKey={(event, row) => {
            if (!event.altKey || event.key.toLowerCase() !== "p" || row === undefined) return;
            event.preventDefault();
            const hit = hits.find((each) => each.type.name === row.key);
            if (hit !== undefined) pin(hit.type.name);
          }}
        />
      </div>
    </Floating>
  );
}

/** What the new node must take or give, if it is to be wired. */
function portOf(state: EditorState, purpose: Purpose): SearchOptions["port"] {
  if (purpose.kind !== "wire") return undefined;
  const { workflow, path } = activeTab(state);
  const wiring = new Wiring(workflow, path, state.catalogue);
  const { node, side, name }: PortRef = purpose.from;
  return side === "out"
    ? { side: "output", type: wiring.outputType({ node, output: name }) }
    : { side: "input", type: wiring.inputType({ node, input: name }) };
}

function titleOf(purpose: Purpose, port: SearchOptions["port"]): string {
  if (purpose.kind === "replace")
    return say("search.replace", {
      title: titleIn(activeGraph(useEditor.getState()), purpose.node),
    });
  if (port === undefined) return say("search.add");
  return say(port.side === "output" ? "search.takes" : "search.gives", {
    type: typeText(port.type),
  });
}

function choose(hit: Hit, { at, purpose }: Searching): void {
  const { addNode, replaceNode, closeOverlay, view } = useEditor.getState();
  const place = view?.toCanvas(at) ?? { x: 0, y: 0 };
  closeOverlay();
  if (purpose.kind === "replace") {
    replaceNode(purpose.node, hit.type.name);
    return;
  }
  const isBefore = purpose.kind === "wire" && purpose.from.side === "in";
  const corner = { x: place.x - (isBefore ? 240 : 0), y: place.y - 14 };
  const wired =
    purpose.kind === "wire" ? purpose.from : purpose.kind === "insert" ? purpose.wire : undefined;
  const id = addNode(hit.type.name, corner, wired);
  if (id !== null) setTimeout(() => useEditor.getState().view?.focusAdded(id), 0);
}

function Categories(props: {
  readonly chosen: string | null;
  readonly onChoose: (category: string | null) => void;
}) {
  const catalogue = useEditor((state) => state.catalogue);
  const names = useMemo(() => categoriesOf(catalogue).map(([name]) => name), [catalogue]);
  return (
    <div className="search-categories" role="group" aria-label={say("search.categories")}>
      {[null, ...names].map((name) => (
        <button
          key={name ?? ""}
          type="button"
          tabIndex={-1}
          aria-pressed={props.chosen === name}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => props.onChoose(name)}
        >
          {name ?? say("search.all")}
        </button>
      ))}
    </div>
  );
}

export function HitRow({ hit, onPin }: { readonly hit: Hit; readonly onPin: () => void }) {
  const { type, marks, isPinned, isRecent } = hit;
  return (
    <>
      <span className="hit-name">{marked(type.name, marks)}</span>
      <span className="hit-summary">{type.summary}</span>
      {isRecent && !isPinned && (
        <span className="hit-recent" title={say("search.recent")}>
          <Icon name="history" small />
        </span>
      )}
      <button
        type="button"
        tabIndex={-1}
        className="hit-pin"
        aria-pressed={isPinned}
        aria-label={say(isPinned ? "search.unpin" : "search.pin", { type: type.name })}
        onClick={(event) => {
          event.stopPropagation();
          onPin();
        }}
      >
        <Icon name="pin" small />
      </button>
    </>
  );
}

/** The name with the letters that matched. */
function marked(name: string, marks: readonly number[]): ReactNode {
  const hit = new Set(marks);
  return Array.from(name, (letter, index) =>
    hit.has(index) ? <mark key={index}>{letter}</mark> : letter,
  );
}
