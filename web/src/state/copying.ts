/** Copy, cut, paste and duplicate, through the clipboard as text. */

import { clipFrom, clipText, copied, type Chosen, type Clip } from "../graph/clipboard";
import { cornerOf, duplicate, paste } from "../graph/commands/paste";
import { keysOf } from "../graph/tables";
import { say, sayCount } from "../words";
import type { Point } from "./canvas";
import { selectedNodes, selectedOf } from "./selection";
import type { EditorState, Slice } from "./store";
import { addedBy } from "./structure";
import { activePath, activeTab } from "./tabs";

export interface CopyingSlice {
  /** The selection as text for the clipboard; null if there is nothing to copy. */
  readonly selectionText: () => string | null;
  /** Copy to the system's clipboard, and to a place of our own if that is not allowed. */
  readonly copySelection: () => void;
  readonly cutSelection: () => void;
  /** Put the nodes of a text into the graph, at the pointer; whether it held any. */
  readonly pasteText: (text: string, outerWires: boolean) => boolean;
  /** Paste from the system's clipboard. */
  readonly paste: (outerWires: boolean) => void;
  /** Copies of the selection beside it, or moved by so much. */
  readonly duplicate: (by?: Point) => void;
}

export const copyingSlice: Slice<CopyingSlice> = (set, get) => {
  /** What was copied last here: for browsers that do not let a page read the clipboard. */
  let own: string | null = null;
  const selectionText = () => {
    const chosen = chosenIn(get());
    if (chosen === null) return null;
    const { workflow, path } = activeTab(get());
    return clipText(copied(workflow, path, chosen));
  };
  return {
    selectionText,
    copySelection: () => {
      own = selectionText() ?? own;
      const count = selectedNodes(get()).length;
      if (own === null || count === 0) return;
      void writeClipboard(own);
      get().announce(sayCount("live.copiedOne", "live.copied", count));
    },
    cutSelection: () => {
      get().copySelection();
      get().deleteSelection();
    },
    pasteText: (text, outerWires) => {
      const clip = clipFrom(text);
      if (clip === null || !holdsAnything(clip)) return false;
      const before = activeTab(get());
      const { view, perform, announce } = get();
      const pointer = view?.pointer();
      const to = pointer == null ? view?.middle() : view?.toCanvas(pointer);
      perform(paste(before.path, clip, { ...(to ? { to } : {}), outerWires }));
      const added = addedBy(get(), before);
      set({ selected: new Set(added) });
      announce(sayCount("live.pastedOne", "live.pasted", added.length));
      return true;
    },
    paste: (outerWires) => {
      void readClipboard().then((text) => {
        const { pasteText, notify } = get();
        if (text !== null && pasteText(text, outerWires)) return;
        if (text === null && own !== null && pasteText(own, outerWires)) return;
        notify("info", say(text === null ? "paste.denied" : "paste.nothing"));
      });
    },
    duplicate: (by) => {
      const chosen = chosenIn(get());
      if (chosen === null) return;
      const before = activeTab(get());
      const clip = copied(before.workflow, before.path, chosen);
      const corner = by === undefined ? undefined : cornerOf(clip);
      const to = corner && by && { x: corner.x + by.x, y: corner.y + by.y };
      const options = { outerWires: true, ...(to ? { to } : {}) };
      get().perform(duplicate(before.workflow, activePath(get()), chosen, options));
      set({ selected: new Set(addedBy(get(), before)) });
    },
  };
};

function chosenIn(state: EditorState): Chosen | null {
  const nodes = selectedNodes(state);
  const groups = selectedOf(state, "frame:");
  const notes = selectedOf(state, "note:");
  return nodes.length + groups.length + notes.length === 0 ? null : { nodes, groups, notes };
}

const holdsAnything = ({ nodes, notes, groups }: Clip): boolean =>
  keysOf(nodes).length + notes.length + groups.length > 0;

async function writeClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages without TLS have no clipboard; the copy of our own serves then.
  }
}

async function readClipboard(): Promise<string | null> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
}
