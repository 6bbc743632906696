/** The node types that somebody used lately or keeps at the top. */

import type { TypeName } from "../graph/ids";
import { typeName } from "../graph/ids";
import type { Slice } from "./store";

/** The kind of what the node library lets drag onto the canvas: the name of a type. */
export const NODE_KIND = "application/x-darkroom-node";

export interface LibrarySlice {
  /** Node types used lately, the latest first, and those that are kept at the top. */
  readonly recentTypes: readonly TypeName[];
  readonly pinnedTypes: readonly TypeName[];
  readonly usedType: (type: TypeName) => void;
  readonly togglePinnedType: (type: TypeName) => void;
}

const KEY = "darkroom.library";
const MOST = 12;

export const librarySlice: Slice<LibrarySlice> = (set, get) => {
  const { recent, pinned } = remembered();
  const keep = () => remember(get().recentTypes, get().pinnedTypes);
  return {
    recentTypes: recent,
    pinnedTypes: pinned,
    usedType: (type) => {
      const others = get().recentTypes.filter((each) => each !== type);
      set({ recentTypes: [type, ...others].slice(0, MOST) });
      keep();
    },
    togglePinnedType: (type) => {
      const { pinnedTypes } = get();
      const isPinned = pinnedTypes.includes(type);
      set({
        pinnedTypes: isPinned
          ? pinnedTypes.filter((each) => each !== type)
          : [...pinnedTypes, type],
      });
      keep();
    },
  };
};

function remembered(): { recent: TypeName[]; pinned: TypeName[] } {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { recent: namesIn(kept, "recent"), pinned: namesIn(kept, "pinned") };
  } catch {
    return { recent: [], pinned: [] };
  }
}

function namesIn(kept: unknown, key: string): TypeName[] {
  if (typeof kept !== "object" || kept === null) return [];
  const names: unknown = Reflect.get(kept, key);
  if (!Array.isArray(names)) return [];
  return names.filter((name) => typeof name === "string").map(typeName);
}

function remember(recent: readonly TypeName[], pinned: readonly TypeName[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ recent, pinned }));
  } catch {
    // Nothing is lost but the order of a list.
  }
}
