/** What is dropped on the canvas from outside it: files, and nodes of the library. */

import type { DragEvent } from "react";

import { typeNamed } from "../graph/catalogue";
import { nodeId, typeName } from "../graph/ids";
import type { Point } from "../state/canvas";
import { PICTURE_KIND, type PictureInput } from "../state/gallery";
import { activePath } from "../state/tabs";
import { say } from "../words";
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
  const picture = event.dataTransfer.getData(PICTURE_KIND);
  if (picture !== "") {
    pictureOn(board, at, picture);
    return;
  }
  const files = [...event.dataTransfer.files];
  if (files.length > 0) void editor.openDropped(files, pictureInputAt(board, at) ?? undefined);
  else {
    const text = event.dataTransfer.getData("text/plain");
    if (text !== "") editor.pasteText(text, false);
  }
}

/** A picture that was made becomes the input of the node that it is dropped on. */
function pictureOn(board: Board, at: Point, url: string): void {
  const editor = board.editor();
  const place = pictureInputAt(board, at);
  if (place === null) editor.notify("info", say("drop.noPictureInput"));
  else void editor.useAsInput(url, place);
}

/** The input that takes a picture, of the node at a point. */
function pictureInputAt(board: Board, at: Point): PictureInput | null {
  const editor = board.editor();
  const node = nodeAt(board.items(), board.toFlow(at));
  const type = node === null ? undefined : typeNamed(editor.catalogue, node.data.node.type);
  const field = type?.inputs.find((each) => each.kind === "image");
  if (node === null || field === undefined) return null;
  return { path: activePath(editor), node: nodeId(node.id), input: field.name };
}
