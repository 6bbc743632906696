import type { NodeId } from "../graph/ids";
import type { Slice } from "./store";

export interface SelectionSlice {
  /** Ids of what is selected in the graph that is shown: nodes, and `frame:`, `note:`, `reroute:`, `wire:` with theirs. */
  readonly selected: ReadonlySet<string>;
  readonly hovered: NodeId | null;
  /** Select these, and nothing else. */
  readonly select: (ids: Iterable<string>) => void;
  readonly hover: (node: NodeId | null) => void;
  /** Select a node, go to the graph where it is and bring it into view. */
  readonly reveal: (node: NodeId, input?: string) => void;
}

export const selectionSlice: Slice<SelectionSlice> = (set) => ({
  selected: new Set(),
  hovered: null,
  select: (ids) => set({ selected: new Set(ids) }),
  hover: (node) => set({ hovered: node }),
  reveal: (node) => set({ selected: new Set([node]) }),
});
