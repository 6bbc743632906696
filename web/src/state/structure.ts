/** Nodes and wires added, taken away, replaced and put between. */

import type { Command } from "../graph/commands/command";
import { newNodes, together } from "../graph/commands/command";
import * as beside from "../graph/commands/canvas";
import { disconnect, insertOnWire } from "../graph/commands/links";
import { removeNodes } from "../graph/commands/nodes";
import { moveNodes, resizeNode } from "../graph/commands/places";
import type { Graph } from "../graph/document";
import { nodeId, type NodeId } from "../graph/ids";
import { at } from "../graph/tables";
import { linksIn } from "../graph/values";
import { wiresOf, type Wire } from "../graph/wiring";
import { say, sayCount } from "../words";
import type { Point } from "./canvas";
import { selectedNodes, selectedOf } from "./selection";
import type { EditorState, Slice } from "./store";
import { activeGraph, activePath, activeTab } from "./tabs";

/** Where a thing is to stand, and how large it is to be, as far as that changes. */
export interface Placing {
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
}

export interface StructureSlice {
  /** Place and size things of any sort, by their ids as the selection has them: one step. */
  readonly moveItems: (places: ReadonlyMap<string, Placing>, merge?: string) => void;
  /** Take away all that is selected; what was linked through nodes stays linked. */
  readonly deleteSelection: () => void;
  readonly cutWires: (wires: readonly Wire[]) => void;
  /** Whether a node could go into a wire. */
  readonly canInsert: (node: NodeId, wire: Wire) => boolean;
  /** Move a node and put it into the wire that it was dropped on: one step. */
  readonly insertDropped: (
    node: NodeId,
    wire: string,
    places: ReadonlyMap<string, Placing>,
  ) => void;
  /** Put a frame around the selection. */
  readonly groupSelection: () => void;
  /** Make the selected nodes wider or narrower by so much. */
  readonly widen: (by: number) => void;
  readonly addNote: (at: Point) => void;
  readonly addReroute: (wire: string, at: Point) => void;
  readonly setFrameTitle: (frame: string, title: string) => void;
  readonly setFrameColour: (frame: string, colour: string) => void;
  readonly setNoteText: (note: string, text: string) => void;
}

export const structureSlice: Slice<StructureSlice> = (set, get) => {
  const path = () => activePath(get());
  return {
    moveItems: (places, merge) => {
      get().perform(together("move_nodes", ...placings(get(), places)), merge);
    },
    deleteSelection: () => {
      const { selected, perform, announce, view } = get();
      const commands = removals(get());
      if (commands.length === 0 || !perform(together("remove", ...commands))) return;
      announce(sayCount("live.removedOne", "live.removed", selected.size));
      set({ selected: new Set() });
      view?.focusCanvas();
    },
    cutWires: (wires) => {
      // From the last of an input's links to the first, so that their numbers hold.
      const ordered = wires.toSorted((a, b) => b.index - a.index);
      const commands = ordered.map(({ to, index }) => disconnect(path(), to, index));
      get().perform(together("cut_wires", ...commands));
    },
    canInsert: (node, wire) => {
      const { workflow } = activeTab(get());
      // A node that is wired already is only moved past.
      if (isWired(get(), node)) return false;
      return insertOnWire(path(), node, wire).apply(workflow, get().catalogue) !== workflow;
    },
    insertDropped: (node, key, places) => {
      const wire = wireOf(get(), key);
      const insert = wire === null ? [] : [insertOnWire(path(), node, wire)];
      const before = activeGraph(get());
      get().perform(together("insert_on_wire", ...placings(get(), places), ...insert));
      get().tellWires(before);
    },
    widen: (by) => {
      const { view, moveItems } = get();
      const widths = selectedNodes(get()).flatMap((id) => {
        const box = view?.boxOf(id);
        return box == null ? [] : [[id, { width: Math.max(128, box.width + by) }] as const];
      });
      moveItems(new Map(widths), "widen");
    },
    groupSelection: () => {
      const box = boundsOfSelection(get());
      if (box === null) return;
      const before = new Set(activeGraph(get()).view?.groups?.map(({ id }) => id));
      get().perform(beside.addGroup(path(), { title: say("canvas.group"), ...box }));
      const added = activeGraph(get()).view?.groups?.find(({ id }) => !before.has(id));
      if (added !== undefined)
        set({ selected: new Set([`frame:${added.id}`]), renaming: `frame:${added.id}` });
    },
    addNote: ({ x, y }) => {
      const before = new Set(activeGraph(get()).view?.notes?.map(({ id }) => id));
      get().perform(beside.addNote(path(), { text: "", x, y, width: 200, height: 96 }));
      const added = activeGraph(get()).view?.notes?.find(({ id }) => !before.has(id));
      if (added !== undefined)
        set({ selected: new Set([`note:${added.id}`]), renaming: `note:${added.id}` });
    },
    addReroute: (key, place) => {
      const wire = wireOf(get(), key);
      if (wire !== null) get().perform(beside.addReroute(path(), wire.to, place));
    },
    setFrameTitle: (frame, title) => {
      get().perform(beside.editGroup(path(), frame, { title }));
    },
    setFrameColour: (frame, colour) => {
      get().perform(beside.editGroup(path(), frame, { colour }));
    },
    setNoteText: (note, text) => {
      get().perform(beside.editNote(path(), note, text));
    },
  };
};

/** The commands that place things of every sort. */
function placings(state: EditorState, places: ReadonlyMap<string, Placing>): Command[] {
  const path = activePath(state);
  const nodes = new Map<NodeId, Point>();
  const rest: Command[] = [];
  for (const [id, placing] of places) {
    const [sort, own] = sortOf(id);
    const { x, y, width } = placing;
    if (sort === "node") {
      if (x !== undefined && y !== undefined) nodes.set(nodeId(id), { x, y });
      if (width !== undefined)
        // How tall it is follows from what is in it.
        rest.push(resizeNode(path, nodeId(id), { width }));
    } else if (sort === "frame") rest.push(beside.placeGroup(path, own, placing));
    else if (sort === "note") rest.push(beside.placeNote(path, own, placing));
    else if (x !== undefined && y !== undefined)
      // A bend is drawn around its place, which is what the document has.
      rest.push(beside.moveReroute(path, own, { x: x + 8, y: y + 8 }));
  }
  return [moveNodes(path, nodes), ...rest];
}

/** Where a thing stands in the document, by its id as the selection has it. */
export function placeIn({ view }: Graph, id: string): Point | undefined {
  const [sort, own] = sortOf(id);
  if (sort === "node") {
    const { x = 0, y = 0 } = at(view?.nodes, own) ?? {};
    return { x, y };
  }
  const all = { frame: view?.groups, note: view?.notes, reroute: view?.reroutes }[sort];
  return all?.find((each) => each.id === own);
}

function sortOf(id: string): readonly ["node" | "frame" | "note" | "reroute", string] {
  for (const sort of ["frame", "note", "reroute"] as const)
    if (id.startsWith(`${sort}:`)) return [sort, id.slice(sort.length + 1)];
  return ["node", id];
}

function removals(state: EditorState): Command[] {
  const path = activePath(state);
  const nodes = selectedNodes(state);
  const wires = selectedOf(state, "wire:")
    .flatMap((key) => wireOf(state, `wire:${key}`) ?? [])
    .toSorted((a, b) => b.index - a.index);
  const [frames, notes, bends] = [
    selectedOf(state, "frame:"),
    selectedOf(state, "note:"),
    selectedOf(state, "reroute:"),
  ];
  return [
    ...wires.map(({ to, index }) => disconnect(path, to, index)),
    ...(bends.length > 0 ? [beside.removeReroutes(path, bends)] : []),
    ...(nodes.length > 0 ? [removeNodes(path, nodes)] : []),
    ...(frames.length > 0 ? [beside.removeGroups(path, frames)] : []),
    ...(notes.length > 0 ? [beside.removeNotes(path, notes)] : []),
  ];
}

const isWired = (state: EditorState, node: NodeId): boolean => {
  const graph = activeGraph(state);
  if (linksIn(at(graph.nodes, node)?.inputs).length > 0) return true;
  return wiresOf(graph).some(({ from }) => from.node === node);
};

/** The wire of an id as the selection has it. */
export function wireOf(state: EditorState, key: string): Wire | null {
  const [node, input, index] = key.slice("wire:".length).split("\n");
  return (
    wiresOf(activeGraph(state)).find(
      ({ to, index: at }) => to.node === node && to.input === input && String(at) === index,
    ) ?? null
  );
}

const MARGIN = 24;
const TITLE = 32;

function boundsOfSelection(state: EditorState) {
  const boxes = [...state.selected].flatMap((id) => state.view?.boxOf(id) ?? []);
  if (boxes.length === 0) return null;
  const x = Math.min(...boxes.map((box) => box.x)) - MARGIN;
  const y = Math.min(...boxes.map((box) => box.y)) - MARGIN - TITLE;
  return {
    x,
    y,
    width: Math.max(...boxes.map((box) => box.x + box.width)) + MARGIN - x,
    height: Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN - y,
  };
}

/** The nodes that an edit added, so that they can be selected. */
export const addedBy = (state: EditorState, before: ReturnType<typeof activeTab>): NodeId[] =>
  newNodes(before.workflow, activeTab(state).workflow, before.path);
