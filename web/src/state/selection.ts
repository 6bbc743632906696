/** What is selected, and which graph is looked at. */

import { definitionPath, graphAt, nodeIds } from "../graph/graphs";
import { nodeId, type GraphPath, type NodeId } from "../graph/ids";
import { at } from "../graph/tables";
import { downstream, upstream } from "../graph/wiring";
import { say } from "../words";
import type { EditorState, SetState, Slice } from "./store";
import { activeGraph, activeTab } from "./tabs";

export interface SelectionSlice {
  /**
   * Ids of what is selected in the graph that is shown: nodes by their ids, and `frame:`, `note:`,
   * `reroute:` and `wire:` with theirs.
   */
  readonly selected: ReadonlySet<string>;
  /** What is being named or written in its place. */
  readonly renaming: string | null;
  /** The input that the inspector brings into sight and gives the focus, until it has. */
  readonly shownInput: { readonly node: NodeId; readonly input: string } | null;
  /** Select these, and nothing else. */
  readonly select: (ids: Iterable<string>) => void;
  readonly selectAll: () => void;
  /** Add what the selected nodes depend on, or what depends on them. */
  readonly selectAlong: (way: "upstream" | "downstream") => void;
  readonly rename: (id: string | null) => void;
  /** Show the graph that a node stands for, if it is one of the document. */
  readonly enter: (node: NodeId) => void;
  /** Go out to the graph around, or to the one at this depth. */
  readonly leave: (depth?: number) => void;
  /** Go to a node: its graph, in view, selected. An address names nodes from the outside in. */
  readonly reveal: (address: string, input?: string) => void;
  /** The input that was jumped to has the focus. */
  readonly arrived: () => void;
}

export const selectionSlice: Slice<SelectionSlice> = (set, get) => ({
  selected: new Set(),
  renaming: null,
  shownInput: null,
  select: (ids) => set({ selected: new Set(ids) }),
  selectAll: () => {
    const graph = activeGraph(get());
    const { groups = [], notes = [], reroutes = [] } = graph.view ?? {};
    set({
      selected: new Set([
        ...nodeIds(graph),
        ...groups.map(({ id }) => `frame:${id}`),
        ...notes.map(({ id }) => `note:${id}`),
        ...reroutes.map(({ id }) => `reroute:${id}`),
      ]),
    });
  },
  selectAlong: (way) => {
    const graph = activeGraph(get());
    const nodes = selectedNodes(get());
    const reached = way === "upstream" ? upstream(graph, nodes) : downstream(graph, nodes);
    set({ selected: new Set([...get().selected, ...reached]) });
  },
  rename: (id) => {
    set({ renaming: id });
    if (id === null) get().view?.focusCanvas();
  },
  ...going(set, get),
  arrived: () => set({ shownInput: null }),
});

type Going = Pick<SelectionSlice, "enter" | "leave" | "reveal">;

/** Which graph is looked at. */
function going(set: SetState, get: () => EditorState): Going {
  return {
    enter: (id) => {
      const { id: tab, workflow, path, trail } = activeTab(get());
      const name = at(activeGraph(get()).nodes, id)?.graph;
      const inner = definitionPath(workflow, path, name);
      if (inner === undefined || name === undefined) return;
      get().changeTab(tab, { path: inner, trail: [...trail, id] });
      set({ selected: new Set(), overlay: null });
      get().announce(say("live.entered", { name: graphAt(workflow, inner)?.name ?? name }));
    },
    leave: (depth) => {
      const { id: tab, workflow, path, trail } = activeTab(get());
      const to = depth ?? path.length - 1;
      if (path.length === 0 || to < 0) return;
      const through = trail.at(to);
      const outer = path.slice(0, to);
      get().changeTab(tab, { path: outer, trail: trail.slice(0, to) });
      const graph = graphAt(workflow, outer);
      const isThere = through !== undefined && at(graph?.nodes, through) !== undefined;
      set({ selected: new Set(isThere ? [through] : []), overlay: null });
      get().announce(say("live.left", { name: graph?.name ?? workflow.name }));
    },
    reveal: (address, input) => {
      const { id: tab, workflow } = activeTab(get());
      const ids = address.split("/").map(nodeId);
      const { path, trail, node } = followed(workflow, ids);
      get().changeTab(tab, { path, trail });
      set({
        selected: new Set([node]),
        overlay: null,
        stage: null,
        shownInput: input === undefined ? null : { node, input },
      });
      if (input !== undefined) get().showSide("inspect");
      const how = input === undefined ? "focusItem" : "showItem";
      // Once the graph that was gone to is drawn.
      setTimeout(() => get().view?.[how](node), 0);
    },
  };
}

type Workflow = ReturnType<typeof activeTab>["workflow"];

/** The graph in which a node is that an address names, as far as that is in the document. */
function followed(workflow: Workflow, ids: readonly NodeId[]) {
  let path: GraphPath = [];
  const trail: NodeId[] = [];
  const [first, ...rest] = ids;
  let node = first;
  for (const next of rest) {
    if (node === undefined) break;
    const inner = definitionPath(workflow, path, at(graphAt(workflow, path)?.nodes, node)?.graph);
    if (inner === undefined) break;
    path = inner;
    trail.push(node);
    node = next;
  }
  return { path, trail, node: node ?? nodeId("") };
}

/** The selected nodes of the graph that is shown. */
export function selectedNodes(state: EditorState): readonly NodeId[] {
  const { nodes } = activeGraph(state);
  return [...state.selected].filter((id) => Object.hasOwn(nodes, id)).map(nodeId);
}

/** The ids of what is selected of one sort, such as `note:`. */
export function selectedOf(state: EditorState, sort: string): readonly string[] {
  return [...state.selected].filter((id) => id.startsWith(sort)).map((id) => id.slice(sort.length));
}
