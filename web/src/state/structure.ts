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
import type { Point, PortRef } from "./canvas";
import { selectedNodes, selectedOf } from "./selection";
import type { EditorState, SetState, Slice } from "./store";
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
  /** Make what is selected wider, and frames and notes taller, by so much; less than 0: smaller. */
  readonly grow: (across: number, down: number) => void;
  readonly addNote: (at: Point) => void;
  /** Bend a wire where it passes this place, and select the bend. */
  readonly addReroute: (wire: string, at: Point) => void;
  readonly setFrameTitle: (frame: string, title: string) => void;
  readonly setNoteText: (note: string, text: string) => void;
}

export const structureSlice: Slice<StructureSlice> = (set, get) => ({
  moveItems: (places, merge) => {
    get().perform(together("move_nodes", ...placings(get(), places)), merge);
  },
  grow: (across, down) => {
    const { selected, moveItems } = get();
    moveItems(new Map([...selected].flatMap((id) => grown(get(), id, across, down))), "grow");
  },
  ...removing(set, get),
  ...inserting(get),
  ...annotating(set, get),
});

type Get = () => EditorState;

function removing(set: SetState, get: Get): Pick<StructureSlice, "deleteSelection" | "cutWires"> {
  return {
    deleteSelection: () => {
      const { selected, perform, announce, view } = get();
      const [wire] = wiresIn(get());
      const commands = removals(get());
      if (commands.length === 0 || !perform(together("remove", ...commands))) return;
      announce(sayCount("live.removedOne", "live.removed", selected.size));
      set({ selected: new Set() });
      // The hand stays where a wire was that it went along.
      if (wire !== undefined && selected.size === 1) view?.focusPort(inputOf(wire));
      else view?.focusCanvas();
    },
    cutWires: (wires) => {
      const path = activePath(get());
      // From the last of an input's links to the first, so that their numbers hold.
      const ordered = wires.toSorted((a, b) => b.index - a.index);
      const commands = ordered.map(({ to, index }) => disconnect(path, to, index));
      if (!get().perform(together("cut_wires", ...commands))) return;
      get().announce(sayCount("live.cutOne", "live.cut", wires.length));
    },
  };
}

function inserting(get: Get): Pick<StructureSlice, "canInsert" | "insertDropped" | "addReroute"> {
  return {
    canInsert: (node, wire) => {
      const { workflow, path } = activeTab(get());
      // A node that is wired already is only moved past.
      if (isWired(get(), node)) return false;
      return insertOnWire(path, node, wire).apply(workflow, get().catalogue) !== workflow;
    },
    insertDropped: (node, key, places) => {
      const wire = wireOf(get(), key);
      const insert = wire === null ? [] : [insertOnWire(activePath(get()), node, wire)];
      const before = activeGraph(get());
      get().perform(together("insert_on_wire", ...placings(get(), places), ...insert));
      get().tellWires(before);
    },
    addReroute: (key, place) => {
      const wire = wireOf(get(), key);
      if (wire === null) return;
      const before = nextBend(activeGraph(get()), wire, place);
      const added = addedBeside(get, "reroutes", () => {
        get().perform(beside.addReroute(activePath(get()), wire.to, place, before));
      });
      if (added === null) return;
      get().announce(say("live.bent"));
      get().select([`reroute:${added}`]);
      get().view?.focusItem(`reroute:${added}`);
    },
  };
}

type Annotating = Pick<
  StructureSlice,
  "groupSelection" | "addNote" | "setFrameTitle" | "setNoteText"
>;

function annotating(set: SetState, get: Get): Annotating {
  const path = () => activePath(get());
  /** What is new is selected, and named at once. */
  const begin = (id: string) => set({ selected: new Set([id]), renaming: id });
  return {
    groupSelection: () => {
      const box = boundsOfSelection(get());
      if (box === null) return;
      const added = addedBeside(get, "groups", () => {
        get().perform(beside.addGroup(path(), { title: say("canvas.group"), ...box }));
      });
      if (added !== null) begin(`frame:${added}`);
    },
    addNote: ({ x, y }) => {
      const added = addedBeside(get, "notes", () => {
        get().perform(beside.addNote(path(), { text: "", x, y, width: 200, height: 96 }));
      });
      if (added !== null) begin(`note:${added}`);
    },
    setFrameTitle: (frame, title) => {
      get().perform(beside.editGroup(path(), frame, { title }));
    },
    setNoteText: (note, text) => {
      get().perform(beside.editNote(path(), note, text));
    },
  };
}

/** The id of the frame, note or bend that an edit adds. */
function addedBeside(
  get: Get,
  kind: "groups" | "notes" | "reroutes",
  edit: () => void,
): string | null {
  const ids = () => (activeGraph(get()).view?.[kind] ?? []).map(({ id }) => id);
  const before = new Set(ids());
  edit();
  return ids().find((id) => !before.has(id)) ?? null;
}

/** The bend before which a new one makes the wire the least longer; undefined: after all. */
function nextBend(graph: Graph, { from, to, index }: Wire, place: Point): string | undefined {
  if (index > 0) return undefined;
  const bends = (graph.view?.reroutes ?? []).filter(
    ({ node, input }) => node === to.node && input === to.input,
  );
  const ends = [from.node, to.node].map((id) => placeIn(graph, id) ?? place);
  const [start = place, end = place] = ends;
  const stops = [start, ...bends, end];
  const far = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);
  const longer = stops.slice(1).map((next, at) => {
    const last = stops[at] ?? next;
    return far(last, place) + far(place, next) - far(last, next);
  });
  return bends[longer.indexOf(Math.min(...longer))]?.id;
}

/** How small things may become. */
const LEAST = {
  node: { width: 128, height: 0 },
  frame: { width: 120, height: 80 },
  note: { width: 96, height: 48 },
} as const;

/** A thing as large as it is to be; nothing, where it has no size of its own. */
function grown(
  state: EditorState,
  id: string,
  across: number,
  down: number,
): readonly (readonly [string, Placing])[] {
  const [sort] = sortOf(id);
  const box = state.view?.boxOf(id);
  if (sort === "reroute" || sort === "wire" || box == null) return [];
  const width = Math.max(LEAST[sort].width, box.width + across);
  const height = Math.max(LEAST[sort].height, box.height + down);
  return [[id, { ...(across === 0 ? {} : { width }), ...(down === 0 ? {} : { height }) }]];
}

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
    else if (sort === "reroute" && x !== undefined && y !== undefined)
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
  if (sort === "wire") return undefined;
  const all = { frame: view?.groups, note: view?.notes, reroute: view?.reroutes }[sort];
  return all?.find((each) => each.id === own);
}

type Sort = "node" | "frame" | "note" | "reroute" | "wire";

function sortOf(id: string): readonly [Sort, string] {
  for (const sort of ["frame", "note", "reroute", "wire"] as const)
    if (id.startsWith(`${sort}:`)) return [sort, id.slice(sort.length + 1)];
  return ["node", id];
}

function removals(state: EditorState): Command[] {
  const path = activePath(state);
  const nodes = selectedNodes(state);
  const wires = wiresIn(state).toSorted((a, b) => b.index - a.index);
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

/** The wires that are selected. */
const wiresIn = (state: EditorState): readonly Wire[] =>
  selectedOf(state, "wire:").flatMap((key) => wireOf(state, `wire:${key}`) ?? []);

const inputOf = ({ to }: Wire): PortRef => ({ node: to.node, side: "in", name: to.input });

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
