/** The graph that is shown as React Flow draws it, with what is being dragged in its place. */

import type { EdgeChange, NodeChange } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";

import { useEditor } from "../state/store";
import { activeGraph, activePath, activeWorkflow } from "../state/tabs";
import { FlowBuilder, type Item, type WireItem } from "./flow";
import { membersOf } from "./frames";
import { picturesIn } from "./runs";
import { measuresOf, type Measures } from "./shape";

/** Where an item is while it is dragged or sized, in the measure of React Flow. */
export interface Shift {
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
}
export type Shifts = ReadonlyMap<string, Shift>;

export interface Flow {
  readonly items: Item[];
  /** The same where they were before what is dragged was moved, and what that is. */
  readonly still: readonly Item[];
  readonly moved: ReadonlySet<string>;
  readonly wires: WireItem[];
  readonly measures: Measures;
  readonly shifts: () => Shifts;
  readonly clearShifts: () => void;
  readonly onNodesChange: (changes: NodeChange<Item>[]) => void;
  readonly onEdgesChange: (changes: EdgeChange<WireItem>[]) => void;
}

const NONE: Shifts = new Map();
const NOTHING: ReadonlySet<string> = new Set();

export function useFlow(onResized: (shifts: Shifts) => void): Flow {
  const [builder] = useState(() => new FlowBuilder());
  const [shifts, setShifts] = useState(NONE);
  const latest = useRef(NONE);
  const workflow = useEditor(activeWorkflow);
  const path = useEditor(activePath);
  const graph = useEditor(activeGraph);
  const catalogue = useEditor((state) => state.catalogue);
  const selected = useEditor((state) => state.selected);
  const density = useEditor((state) => state.density);
  const scale = useEditor((state) => state.scale);
  const pictured = useEditor(picturesIn);
  const measures = useMemo(() => measuresOf(density, scale), [density, scale]);
  const { items, wires } = useMemo(() => {
    const pictures = new Set(pictured.split("\n"));
    return builder.build({ workflow, path, graph, catalogue, measures, selected, pictures });
  }, [builder, workflow, path, graph, catalogue, measures, selected, pictured]);
  const shifted = useMemo(
    () => (shifts.size === 0 ? items : items.map((item) => shiftedItem(item, shifts))),
    [items, shifts],
  );

  const ids = [...shifts.keys()].join("\n");
  const moved = useMemo(() => (ids === "" ? NOTHING : new Set(ids.split("\n"))), [ids]);

  const [change, stop] = useFrames(latest, setShifts);
  useEffect(() => stop, [stop]);
  const onNodesChange = useCallback(
    (changes: NodeChange<Item>[]) => {
      selectChanged(changes);
      const next = shiftedBy(changes, items, latest.current);
      if (next !== null) change(next);
      if (changes.some((each) => each.type === "dimensions" && each.resizing === false)) {
        onResized(latest.current);
        change(NONE);
      }
    },
    [items, change, onResized],
  );
  return {
    items: shifted,
    still: items,
    moved,
    wires,
    measures,
    shifts: () => latest.current,
    clearShifts: () => change(NONE),
    onNodesChange,
    onEdgesChange: selectChanged,
  };
}

/** Takes shifts down at once and shows them once a frame: a pointer may move more often. */
function useFrames(latest: RefObject<Shifts>, show: (shifts: Shifts) => void) {
  const [pair] = useState(() => {
    let frame = 0;
    const stop = () => cancelAnimationFrame(frame);
    const change = (next: Shifts) => {
      stop();
      latest.current = next;
      if (next.size === 0) show(next);
      else frame = requestAnimationFrame(() => show(next));
    };
    return [change, stop] as const;
  });
  return pair;
}

/** Take over what React Flow selected or let go. */
function selectChanged(changes: readonly (NodeChange<Item> | EdgeChange<WireItem>)[]): void {
  const { selected, select } = useEditor.getState();
  const next = new Set(selected);
  for (const change of changes) {
    if (change.type !== "select") continue;
    if (change.selected) next.add(change.id);
    else next.delete(change.id);
  }
  const isSame = next.size === selected.size && [...next].every((id) => selected.has(id));
  if (!isSame) select(next);
}

/** The shifts after changes; null if none of them moves or sizes anything. */
function shiftedBy(
  changes: readonly NodeChange<Item>[],
  items: readonly Item[],
  before: Shifts,
): Shifts | null {
  let next: Map<string, Shift> | null = null;
  const sized = new Set(changes.map((each) => (each.type === "dimensions" ? each.id : "")));
  for (const change of changes) {
    if (change.type === "position" && change.position !== undefined) {
      next ??= new Map(before);
      const { x, y } = change.position;
      if (!sized.has(change.id)) takeAlong(next, items, change.id, { x, y });
      next.set(change.id, { ...next.get(change.id), x, y });
    }
    // Without `resizing` it is a measurement, which our own shapes make needless.
    if (change.type === "dimensions" && change.resizing === true && change.dimensions) {
      next ??= new Map(before);
      const { width, height } = change.dimensions;
      next.set(change.id, { ...next.get(change.id), width, height });
    }
  }
  return next;
}

/** A frame takes along what lies in it. */
function takeAlong(
  next: Map<string, Shift>,
  items: readonly Item[],
  id: string,
  to: { readonly x: number; readonly y: number },
): void {
  const frame = items.find((item) => item.id === id);
  if (frame?.type !== "frame") return;
  const [across, down] = [to.x - frame.position.x, to.y - frame.position.y];
  for (const member of membersOf(frame, items)) {
    if (member.selected === true) continue;
    next.set(member.id, { x: member.position.x + across, y: member.position.y + down });
  }
}

/** A layer of its own that lies above the rest, so that nothing else is painted anew. */
const ABOVE = { className: "shifted", zIndex: 10 } as const;

function shiftedItem(item: Item, shifts: Shifts): Item {
  const shift = shifts.get(item.id);
  if (shift === undefined) return item;
  const { width = item.width ?? 0, height = item.height ?? 0 } = shift;
  const position = { x: shift.x ?? item.position.x, y: shift.y ?? item.position.y };
  const size = { width, height, measured: { width, height }, ...ABOVE };
  if (item.type !== "node" || item.handles === undefined) return { ...item, position, ...size };
  const handles = item.handles.map((each) =>
    each.type === "source" ? { ...each, x: width } : each,
  );
  return { ...item, position, ...size, handles };
}
