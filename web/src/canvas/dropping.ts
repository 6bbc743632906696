/** What is dropped on the canvas from outside it: files, and nodes of the library. */

import type { DragEvent } from "react";

import { typeName } from "../graph/ids";
import type { Board } from "./gestures";
import { nodeAt, wireThrough } from "./places";

/** The kind of what the node library lets drag. */
export const NODE_KIND = "application/x-darkroom-node";

export function droppedOn(board: Board, event: DragEvent): void {
  const at = { x: event.clientX, y: event.clientY };
  const editor = board.editor();
  const type = event.dataTransfer.getData(NODE_KIND);
  if (type !== "") {
    const place = board.toFlow(at);
    const box = { x: place.x - 8, y: place.y - 8, width: 16, height: 16 };
    const isFree = nodeAt(board.items(), place) === null;
    const wire = isFree
      ? wireThrough(board.items(), board.wires(), box, editor.wires, () => true)
      : null;
    const to = editor.view?.toCanvas(at) ?? place;
    editor.addNode(typeName(type), { x: to.x - 120, y: to.y - 14 }, wire?.data?.wire);
    return;
  }
  const [file] = event.dataTransfer.files;
  if (file !== undefined) void editor.openDropped(file);
  else {
    const text = event.dataTransfer.getData("text/plain");
    if (text !== "") editor.pasteText(text, false);
  }
}
