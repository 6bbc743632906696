/** The menu of what is under the pointer, or of what has the focus. */

import type { Point } from "../state/canvas";
import { middleOf } from "./alongWire";
import type { Board } from "./gestures";
import { targetOf } from "./targets";

export function openMenu(board: Board, at: Point, element: Element | null): void {
  const { open, select, selected } = board.editor();
  const target = targetOf(element);
  if (target.kind === "item" && !selected.has(target.id)) select([target.id]);
  open({ kind: "menu", at, target });
}

/** The menu that is asked for by a key: beside the thing, and in the middle of a wire. */
export function openMenuOf(board: Board, element: Element): void {
  const box = element.getBoundingClientRect();
  const target = targetOf(element);
  const middle = target.kind === "item" ? middleOf(board, target.id) : null;
  const isWhole = target.kind === "canvas";
  const corner = isWhole
    ? { x: box.left + box.width / 2, y: box.top + box.height / 2 }
    : { x: box.left + Math.min(box.width, 24), y: box.top + Math.min(box.height, 24) };
  openMenu(board, middle ?? corner, element);
}
