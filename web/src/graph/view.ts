/** What the view of a graph says, as numbers to draw with; what is broken there is left out. */

import type { Graph, JsonObject } from "./document";
import { type NodeId, nodeId } from "./ids";
import { isObject, type Json, numberOf } from "./json";
import { at } from "./tables";
import { linksIn } from "./values";

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

export interface Dot {
  readonly id: string;
  readonly node: NodeId;
  readonly input: string;
  readonly x: number;
  readonly y: number;
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

export function groupsOf(graph: Graph | undefined): GroupBox[] {
  return items(graph?.view?.groups).flatMap((group) => {
    const [id, box] = [textOf(group["id"]), boxOf(group)];
    if (id === undefined || box === undefined) return [];
    return [{ id, ...box, title: textOf(group["title"]) ?? "", colour: textOf(group["colour"]) }];
  });
}

export function notesOf(graph: Graph | undefined): NoteBox[] {
  return items(graph?.view?.notes).flatMap((note) => {
    const [id, box] = [textOf(note["id"]), boxOf(note)];
    return id === undefined || box === undefined
      ? []
      : [{ id, ...box, text: textOf(note["text"]) ?? "" }];
  });
}

/** The dots on wires that are there, in their order along each wire. */
export function reroutesOf(graph: Graph | undefined): Dot[] {
  return items(graph?.view?.reroutes).flatMap((dot) => {
    const [id, node, input] = [textOf(dot["id"]), textOf(dot["node"]), textOf(dot["input"])];
    const [x, y] = [numberOf(dot["x"]), numberOf(dot["y"])];
    if (id === undefined || node === undefined || input === undefined) return [];
    const isWired = linksIn(at(at(graph?.nodes, node)?.inputs, input)).length > 0;
    return isWired && x !== null && y !== null ? [{ id, node: nodeId(node), input, x, y }] : [];
  });
}

/** Nodes whose middle lies in a group: they move with it. */
export function membersOf(
  graph: Graph | undefined,
  group: Box,
  sizeOf: (id: NodeId) => { readonly width: number; readonly height: number },
): NodeId[] {
  return Object.keys(graph?.nodes ?? {})
    .map(nodeId)
    .filter((id) => {
      const place = placeOf(graph, id);
      if (place === undefined) return false;
      const { width, height } = sizeOf(id);
      const [x, y] = [place.x + width / 2, place.y + height / 2];
      const isBeside = x < group.x || x > group.x + group.width;
      return !isBeside && y >= group.y && y <= group.y + group.height;
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
