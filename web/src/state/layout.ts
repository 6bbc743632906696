/** Where nodes stand, and what of them the form shows. */

import { align, arrange, distribute, type Edge } from "../graph/commands/layout";
import { newNodes } from "../graph/commands/command";
import {
  makeSubgraph,
  unpackSubgraph,
  whyNoSubgraph,
  whyNotUnpacked,
} from "../graph/commands/subgraphs";
import { exposedAs, exposeInput, hideInput } from "../graph/commands/form";
import type { NodeId } from "../graph/ids";
import type { InputPort } from "../graph/wiring";
import { say } from "../words";
import { selectedNodes } from "./selection";
import type { Slice } from "./store";
import { activeGraph, activePath, activeTab } from "./tabs";

export interface LayoutSlice {
  readonly align: (edge: Edge) => void;
  readonly distribute: (direction: "across" | "down") => void;
  /** Lay out the selection, or the whole graph if less than two nodes are selected. */
  readonly arrange: () => void;
  /** Make a subgraph of the selected nodes. */
  readonly makeSubgraph: () => void;
  /** Put the nodes of the selected subgraph back in its place. */
  readonly unpackSubgraph: () => void;
  /** Show an input in the form, or outside of the subgraph; or take it from there. */
  readonly toggleExposed: (port: InputPort) => void;
}

const USUAL = { width: 240, height: 160 };

export const layoutSlice: Slice<LayoutSlice> = (set, get) => {
  const sizeOf = (id: NodeId) => get().view?.boxOf(id) ?? USUAL;
  return {
    align: (edge) => {
      get().perform(align(activePath(get()), selectedNodes(get()), edge, sizeOf));
    },
    distribute: (direction) => {
      get().perform(distribute(activePath(get()), selectedNodes(get()), direction, sizeOf));
    },
    arrange: () => {
      const chosen = selectedNodes(get());
      const only = chosen.length > 1 ? [chosen] : [];
      get().perform(arrange(activePath(get()), sizeOf, ...only));
    },
    makeSubgraph: () => {
      const before = activeTab(get());
      const ids = selectedNodes(get());
      const refusal = whyNoSubgraph(activeGraph(get()), ids);
      if (refusal !== null) {
        get().notify("warning", say(`subgraph.${refusal}`));
        return;
      }
      get().perform(makeSubgraph(before.path, ids, say("subgraph.title")));
      set({ selected: new Set(newNodes(before.workflow, activeTab(get()).workflow, before.path)) });
    },
    unpackSubgraph: () => {
      const before = activeTab(get());
      const [id] = selectedNodes(get());
      if (id === undefined) return;
      const refusal = whyNotUnpacked(before.workflow, before.path, id);
      if (refusal !== null) {
        get().notify("warning", say(`subgraph.${refusal}`));
        return;
      }
      get().perform(unpackSubgraph(before.path, id));
      set({ selected: new Set(newNodes(before.workflow, activeTab(get()).workflow, before.path)) });
    },
    toggleExposed: (port) => {
      const path = activePath(get());
      const name = exposedAs(activeGraph(get()), port);
      get().perform(name === undefined ? exposeInput(path, port) : hideInput(path, name, port));
    },
  };
};
