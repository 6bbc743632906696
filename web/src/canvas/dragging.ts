/** What becomes of things that were dragged, once they are let go. */

import { nodeId } from "../graph/ids";
import { placeIn } from "../state/structure";
import { useEditor } from "../state/store";
import { activeGraph } from "../state/tabs";
import type { Board } from "./gestures";
import { overlap } from "./curves";
import type { Item } from "./flow";
import { boxOf, wireThrough } from "./places";
import type { Shifts } from "./useFlow";

/** Write where dragged or sized things are now into the document, as one step. */
export function commitShifts(shifts: Shifts, dragged: readonly Item[] = []): void {
  const { scale, moveItems, wireUnder, setWireUnder, insertDropped } = useEditor.getState();
  const places = new Map(
    [...shifts].map(([id, shift]) => [
      id,
      Object.fromEntries(
        Object.entries(shift).map(([key, value]) => [key, Math.round(Number(value) / scale)]),
      ),
    ]),
  );
  if (places.size === 0) return;
  const [only] = dragged;
  if (wireUnder !== null && only !== undefined && dragged.length === 1) {
    insertDropped(nodeId(only.id), wireUnder, places);
  } else moveItems(places);
  setWireUnder(null);
}

/** Leave what was dragged where it was, and put copies where it was let go. */
export function duplicateShifted(shifts: Shifts, board: Board): void {
  const { duplicate, setWireUnder, scale } = board.editor();
  setWireUnder(null);
  for (const [id, { x, y }] of shifts) {
    // What is drawn has moved along already: the document has not.
    const start = placeIn(activeGraph(board.editor()), id);
    if (x === undefined || y === undefined || start === undefined) continue;
    duplicate({ x: Math.round(x / scale - start.x), y: Math.round(y / scale - start.y) });
    return;
  }
}

/** Mark the wire into which the one node that is dragged would go. */
export function dropTarget(board: Board, dragged: readonly Item[]): void {
  const { setWireUnder, wires: course, canInsert } = board.editor();
  const [item] = dragged;
  if (item?.type !== "node" || dragged.length !== 1) {
    setWireUnder(null);
    return;
  }
  const { x, y, width } = boxOf(item);
  const head = { x: x + width * 0.2, y, width: width * 0.6, height: 28 * board.scale() };
  const items = board.items();
  const near = board.wires().filter((wire) => mayMeet(items, wire.source, wire.target, head));
  const wire = wireThrough(items, near, head, course, (each) => canInsert(nodeId(item.id), each));
  setWireUnder(wire?.id ?? null);
}

/** Whether the box around two nodes, and some room for the curve, meets a box. */
function mayMeet(
  items: readonly Item[],
  source: string,
  target: string,
  box: ReturnType<typeof boxOf>,
): boolean {
  const ends = items.filter(({ id }) => id === source || id === target).map(boxOf);
  const left = Math.min(...ends.map(({ x }) => x)) - 160;
  const top = Math.min(...ends.map(({ y }) => y)) - 160;
  const right = Math.max(...ends.map(({ x, width }) => x + width)) + 160;
  const bottom = Math.max(...ends.map(({ y, height }) => y + height)) + 160;
  return overlap(box, { x: left, y: top, width: right - left, height: bottom - top });
}
