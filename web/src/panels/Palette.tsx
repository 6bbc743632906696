import { useState } from "react";

import { groups, isOpen, keysFor, shortcuts, type Shortcut } from "../shortcuts";
import { useEditor } from "../state/store";
import { say } from "../words";
import { Floating } from "./Floating";
import { Keys } from "./Keys";
import { PickList } from "./PickList";

/** All commands in one list, found by their titles. */
export function Palette() {
  const [query, setQuery] = useState("");
  const close = useEditor((state) => state.closeOverlay);
  const rows = matching(query).map((shortcut) => ({
    key: shortcut.id,
    content: <PaletteRow shortcut={shortcut} />,
    run: () => {
      close();
      const editor = useEditor.getState();
      if (isOpen(shortcut, editor)) shortcut.run(editor);
    },
  }));
  return (
    <Floating label={say("palette.title")} onClose={close}>
      <PickList
        label={say("palette.title")}
        placeholder={say("palette.placeholder")}
        query={query}
        rows={rows}
        nothing={say("palette.nothing", { text: query })}
        onQuery={setQuery}
      />
    </Floating>
  );
}

/** Commands that hold every word of the query; those with something to do come first. */
function matching(query: string): readonly Shortcut[] {
  const words = query.toLowerCase().split(/\s+/);
  const editor = useEditor.getState();
  const found = shortcuts.filter(({ title, group }) =>
    words.every((word) => `${title} ${say(`group.${group}`)}`.toLowerCase().includes(word)),
  );
  return found.toSorted(
    (a, b) =>
      Number(isOpen(b, editor)) - Number(isOpen(a, editor)) ||
      groups.indexOf(a.group) - groups.indexOf(b.group),
  );
}

function PaletteRow({ shortcut }: { readonly shortcut: Shortcut }) {
  const chosen = useEditor((state) => state.keys);
  const [keys] = keysFor(shortcut, chosen);
  return (
    <>
      <span className="palette-title">{shortcut.title}</span>
      <span className="quiet small">{say(`group.${shortcut.group}`)}</span>
      {keys !== undefined && <Keys keys={keys} />}
    </>
  );
}
