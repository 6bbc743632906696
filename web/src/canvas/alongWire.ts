/** The way along a wire by keys: from its source over its bends to where it goes. */

import { nodeId } from "../graph/ids";
import { wiresOf, type Wire } from "../graph/wiring";
import type { Point, PortRef } from "../state/canvas";
import { wireOf } from "../state/structure";
import { activeGraph } from "../state/tabs";
import { rerouteKey, wireKey } from "./flow";
import type { Board } from "./gestures";
import { byId, lineOf } from "./places";

/** The wires that end at a port, in the order of the document. */
export function wiresAt(board: Board, { node, side, name }: PortRef): readonly Wire[] {
  return wiresOf(activeGraph(board.editor())).filter(({ from, to }) =>
    side === "out"
      ? from.node === node && from.output === name
      : to.node === node && to.input === name,
  );
}

/** What a key does on a wire that has the focus. */
export function onWireKey(keys: string, id: string, board: Board): boolean {
  const { view, select } = board.editor();
  const wire = wireOf(board.editor(), id);
  if (wire === null || view === null) return false;
  switch (keys) {
    case "Left":
    case "Right":
      goTo(board, keys === "Left" ? sourceOf(wire) : (stopsOf(board, wire)[1] ?? targetOf(wire)));
      return true;
    case "Up":
    case "Down": {
      const beside = besides(board, wire).map(wireKey);
      const next = beside[beside.indexOf(id) + (keys === "Up" ? -1 : 1)];
      if (next !== undefined) view.focusWire(next);
      return true;
    }
    case "Enter":
      view.openMenu();
      return true;
    case "Esc":
      select([wire.to.node]);
      view.focusItem(wire.to.node);
      return true;
    default:
      return false;
  }
}

/** What a key does on a bend that has the focus. */
export function onBendKey(keys: string, id: string, board: Board): boolean {
  const wire = wireOfBend(board, id);
  if (wire === null) return false;
  const stops = stopsOf(board, wire);
  const at = stops.indexOf(id);
  if (keys === "Left") goTo(board, stops[at - 1] ?? sourceOf(wire));
  else if (keys === "Right") goTo(board, stops[at + 1] ?? targetOf(wire));
  else if (keys === "Enter" || keys === "Esc") board.editor().view?.focusWire(wireKey(wire));
  return ["Left", "Right", "Up", "Down", "Enter", "Esc"].includes(keys);
}

/** The middle of a wire in the window; null if it is not drawn. */
export function middleOf(board: Board, id: string): Point | null {
  const item = board.wires().find((wire) => wire.id === id);
  const bounds = board.bounds();
  if (item === undefined || bounds === null) return null;
  const line = lineOf(byId(board.items()), item, board.editor().wires);
  const at = halfway(line);
  if (at === null) return null;
  const { x, y } = board.toOverlay(at);
  return { x: x + bounds.x, y: y + bounds.y };
}

/** The place after half the length of a line. */
function halfway(line: readonly Point[]): Point | null {
  const pieces = line.slice(1).map((to, index) => {
    const from = line[index] ?? to;
    return { from, to, length: Math.hypot(to.x - from.x, to.y - from.y) };
  });
  let left = pieces.reduce((sum, { length }) => sum + length, 0) / 2;
  for (const { from, to, length } of pieces) {
    if (left <= length && length > 0) {
      const by = left / length;
      return { x: from.x + (to.x - from.x) * by, y: from.y + (to.y - from.y) * by };
    }
    left -= length;
  }
  return line[0] ?? null;
}

const sourceOf = ({ from }: Wire): PortRef => ({ node: from.node, side: "out", name: from.output });
const targetOf = ({ to }: Wire): PortRef => ({ node: to.node, side: "in", name: to.input });

/** What a wire leads over, from one end to the other; bends by their ids. */
function stopsOf(board: Board, wire: Wire): readonly (PortRef | string)[] {
  // Only the first of an input's wires is bent.
  const dots = wire.index > 0 ? [] : (activeGraph(board.editor()).view?.reroutes ?? []);
  const bends = dots.filter(({ node, input }) => node === wire.to.node && input === wire.to.input);
  return [sourceOf(wire), ...bends.map(({ id }) => rerouteKey(id)), targetOf(wire)];
}

function wireOfBend(board: Board, id: string): Wire | null {
  const graph = activeGraph(board.editor());
  const dot = graph.view?.reroutes?.find((each) => rerouteKey(each.id) === id);
  if (dot === undefined) return null;
  const port: PortRef = { node: nodeId(dot.node), side: "in", name: dot.input };
  return wiresAt(board, port)[0] ?? null;
}

/** The wires that share an end with one, and that one. */
function besides(board: Board, wire: Wire): readonly Wire[] {
  const ends = [sourceOf(wire), targetOf(wire)].flatMap((port) =>
    wiresAt(board, port).map(wireKey),
  );
  return wiresOf(activeGraph(board.editor())).filter((each) => ends.includes(wireKey(each)));
}

function goTo(board: Board, stop: PortRef | string): void {
  const { view, select } = board.editor();
  if (typeof stop !== "string") view?.focusPort(stop);
  else {
    select([stop]);
    view?.focusItem(stop);
  }
}
