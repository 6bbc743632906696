/** What stands on the canvas beside nodes: groups, notes, and dots on wires. */

import type { Frame, Note, Reroute, View } from "../document";
import { freshName, type GraphPath } from "../ids";
import type { Box, GroupBox, NoteBox } from "../view";
import type { InputPort } from "../wiring";
import { changeGraph, withView } from "./change";
import type { Command } from "./command";
import type { Point } from "./places";

type Kind = "groups" | "notes" | "reroutes";
interface Items {
  readonly groups: Frame;
  readonly notes: Note;
  readonly reroutes: Reroute;
}

export function addGroup(path: GraphPath, group: Omit<GroupBox, "id" | "colour">): Command {
  const { x, y, width, height, title } = group;
  return edit("add_group", path, "groups", (groups) => [
    ...groups,
    { id: freshId("group", groups), title, x, y, width, height },
  ]);
}

export function addNote(path: GraphPath, note: Omit<NoteBox, "id">): Command {
  const { x, y, width, height, text } = note;
  return edit("add_note", path, "notes", (notes) => [
    ...notes,
    { id: freshId("note", notes), text, x, y, width, height },
  ]);
}

/** Bend a wire, before another bend of it or after all. */
export function addReroute(
  path: GraphPath,
  { node, input }: InputPort,
  { x, y }: Point,
  before?: string,
): Command {
  return edit("add_reroute", path, "reroutes", (dots) => {
    const at = dots.findIndex(({ id }) => id === before);
    const dot = { id: freshId("reroute", dots), node, input, x, y };
    return dots.toSpliced(at < 0 ? dots.length : at, 0, dot);
  });
}

export function editGroup(path: GraphPath, id: string, change: Pick<Frame, "title">): Command {
  return edited("edit_group", path, "groups", id, (group) => ({ ...group, ...change }), "group");
}

export function editNote(path: GraphPath, id: string, text: string): Command {
  return edited("edit_note", path, "notes", id, (note) => ({ ...note, text }), "text");
}

export function placeGroup(path: GraphPath, id: string, box: Partial<Box>, drag?: string): Command {
  return edited("move_group", path, "groups", id, (group) => ({ ...group, ...box }), drag);
}

export function placeNote(path: GraphPath, id: string, box: Partial<Box>, drag?: string): Command {
  return edited("move_note", path, "notes", id, (note) => ({ ...note, ...box }), drag);
}

export function moveReroute(path: GraphPath, id: string, { x, y }: Point, drag?: string): Command {
  return edited("move_reroute", path, "reroutes", id, (dot) => ({ ...dot, x, y }), drag);
}

export function removeGroups(path: GraphPath, ids: readonly string[]): Command {
  return without("remove_groups", path, "groups", ids);
}

export function removeNotes(path: GraphPath, ids: readonly string[]): Command {
  return without("remove_notes", path, "notes", ids);
}

export function removeReroutes(path: GraphPath, ids: readonly string[]): Command {
  return without("remove_reroutes", path, "reroutes", ids);
}

/** A free id among groups, notes or dots. */
export function freshId(like: string, items: readonly { readonly id: string }[]): string {
  return freshName(like, (id) => items.some((item) => item.id === id));
}

function without(name: string, path: GraphPath, kind: Kind, ids: readonly string[]): Command {
  const gone = new Set(ids);
  return edit(name, path, kind, (items) =>
    items.some((item) => gone.has(item.id)) ? items.filter((item) => !gone.has(item.id)) : items,
  );
}

function edited<K extends Kind>(
  name: string,
  path: GraphPath,
  kind: K,
  id: string,
  change: (item: Items[K]) => Items[K],
  merge?: string,
): Command {
  return {
    ...edit(name, path, kind, (items) =>
      items.map((item) => (item.id === id ? change(item) : item)),
    ),
    ...(merge === undefined ? {} : { merge: `${name} ${JSON.stringify([path, id])} ${merge}` }),
  };
}

function edit<K extends Kind>(
  name: string,
  path: GraphPath,
  kind: K,
  change: (items: readonly Items[K][]) => readonly Items[K][],
): Command {
  return {
    name,
    apply: (workflow) =>
      changeGraph(workflow, path, (graph) =>
        withView(graph, (view) => {
          const before: readonly Items[K][] = itemsOf(view, kind);
          const after = change(before);
          return after === before ? view : { ...view, [kind]: after };
        }),
      ),
  };
}

function itemsOf<K extends Kind>(view: View, kind: K): readonly Items[K][] {
  const tables: { readonly [Each in Kind]: readonly Items[Each][] } = {
    groups: view.groups ?? [],
    notes: view.notes ?? [],
    reroutes: view.reroutes ?? [],
  };
  return tables[kind];
}
