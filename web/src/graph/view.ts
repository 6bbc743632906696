/** What the view of a graph says, as numbers to draw with; what is broken there is left out. */

import type { Graph, JsonObject } from "./document";
import type { NodeId } from "./ids";
import { isObject, type Json, numberOf } from "./json";
import { at } from "./tables";

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly title: string | undefined;
  readonly collapsed: boolean;
  readonly pinned: boolean;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface GroupBox extends Box {
  readonly id: string;
  readonly title: string;
  readonly colour: string | undefined;
}

export interface NoteBox extends Box {
  readonly id: string;
  readonly text: string;
}

/** Where a node stands; undefined if the document does not say. */
export function placeOf(graph: Graph | undefined, id: NodeId): Place | undefined {
  const place = at(graph?.view?.nodes, id);
  const [x, y] = [numberOf(place?.x), numberOf(place?.y)];
  if (place === undefined || x === null || y === null) return undefined;
  return {
    x,
    y,
    width: numberOf(place.width) ?? undefined,
    height: numberOf(place.height) ?? undefined,
    title: textOf(place.title),
    collapsed: place.collapsed === true,
    pinned: place.pinned === true,
  };
}

export function notesOf(graph: Graph | undefined): NoteBox[] {
  return items(graph?.view?.notes).flatMap((note) => {
    const [id, box] = [textOf(note["id"]), boxOf(note)];
    return id === undefined || box === undefined
      ? []
      : [{ id, ...box, text: textOf(note["text"]) ?? "" }];
  });
}

function items(list: readonly Json[] | undefined): JsonObject[] {
  return (list ?? []).filter((item) => isObject(item));
}

function boxOf(item: JsonObject): Box | undefined {
  const [x, y] = [numberOf(item["x"]), numberOf(item["y"])];
  const [width, height] = [numberOf(item["width"]), numberOf(item["height"])];
  if (x === null || y === null || width === null || height === null) return undefined;
  return { x, y, width, height };
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
