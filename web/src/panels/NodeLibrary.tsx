import { useMemo, useState } from "react";

import { search } from "../graph/search";
import type { NodeType } from "../graph/catalogue";
import { useEditor } from "../state/store";
import { say } from "../words";

/** The kind of what is dragged from here onto the canvas. */
const NODE_KIND = "application/x-darkroom-node";

/** All node types by category, to be dragged onto the canvas or added by a key. */
export function NodeLibrary() {
  const [query, setQuery] = useState("");
  const catalogue = useEditor((state) => state.catalogue);
  const groups = useMemo(() => {
    const found = new Map<string, NodeType[]>();
    for (const { type } of search(catalogue, query))
      found.set(type.category, [...(found.get(type.category) ?? []), type]);
    const all = [...found];
    return query === "" ? all.toSorted(([a], [b]) => a.localeCompare(b)) : all;
  }, [catalogue, query]);
  return (
    <div className="library">
      <input
        className="pick-box"
        aria-label={say("library.filter")}
        placeholder={say("library.filter")}
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
      />
      <p className="quiet small library-hint">{say("library.hint")}</p>
      <div className="library-list">
        {groups.map(([category, types]) => (
          <details key={category} open>
            <summary>{category}</summary>
            <ul>
              {types.map((type) => (
                <LibraryRow key={type.name} type={type} />
              ))}
            </ul>
          </details>
        ))}
      </div>
    </div>
  );
}

function LibraryRow({ type }: { readonly type: NodeType }) {
  const add = () => {
    const { addNode, view } = useEditor.getState();
    const id = addNode(type.name, view?.middle() ?? { x: 0, y: 0 });
    if (id !== null) setTimeout(() => useEditor.getState().view?.focusAdded(id), 0);
  };
  return (
    <li>
      <button
        type="button"
        className="library-row"
        draggable
        title={type.summary}
        onDragStart={(event) => {
          event.dataTransfer.setData(NODE_KIND, type.name);
          event.dataTransfer.effectAllowed = "copy";
        }}
        onClick={add}
      >
        <span>{type.name}</span>
        <span className="quiet small">{type.summary}</span>
      </button>
    </li>
  );
}
