/** The way through the canvas by keys: between nodes, to their ports, and wires from port to port. */

import type { KeyboardEvent } from "react";

import { keysOf } from "../keys";
import type { PortRef } from "../state/canvas";
import { activeGraph } from "../state/tabs";
import { titleIn } from "../state/titles";
import { say, sayCount } from "../words";
import { onBendKey, onWireKey, wiresAt } from "./alongWire";
import { wireKey } from "./flow";
import { membersOf } from "./frames";
import type { Board } from "./gestures";
import { boxOf } from "./places";
import { targetOf } from "./targets";
import { portOf } from "./usePointer";

type Way = "Up" | "Down" | "Left" | "Right";
const ways = new Set<string>(["Up", "Down", "Left", "Right"]);
const isWay = (key: string): key is Way => ways.has(key);

/** What a key does on the canvas itself. Keys of commands are heard elsewhere. */
export function onCanvasKey(event: KeyboardEvent, board: Board): void {
  const element = event.target instanceof Element ? event.target : null;
  if (element === null || element.closest("input, textarea, select, [contenteditable]") !== null)
    return;
  const keys = keysOf(event);
  if (keys === null) return;
  const port = portOf(element);
  const isDone =
    port === null ? onNodeKey(event, keys, element, board) : onPortKey(event, keys, port, board);
  if (!isDone) return;
  event.preventDefault();
  event.stopPropagation();
}

function onNodeKey(event: KeyboardEvent, keys: string, element: Element, board: Board): boolean {
  const target = targetOf(element);
  const id = target.kind === "item" ? target.id : null;
  const { openWire, select, selected, setOpenWire, announce, view } = board.editor();
  if (keys === "Esc" && openWire !== null) {
    setOpenWire(null);
    announce(say("live.wireDropped"));
    return true;
  }
  // Fields and buttons within a node keep their own keys.
  if (element.closest("button, a") !== null) return false;
  if (id !== null && id.startsWith("wire:") && onWireKey(keys, id, board)) return true;
  if (id !== null && id.startsWith("reroute:") && onBendKey(keys, id, board)) return true;
  if (isWay(keys)) {
    const next = neighbour(board, id, keys);
    if (next === null) return true;
    select([next]);
    view?.focusItem(next);
    return true;
  }
  const move = /^(Ctrl|Alt)\+(Up|Down|Left|Right)$/.exec(keys)?.[2];
  if (move !== undefined && isWay(move)) return nudge(board, move, event.altKey ? 1 : 24);
  if (id === null) return false;
  if (keys === "Enter") {
    select([id]);
    const first = element.querySelector<HTMLElement>("[data-port]");
    first?.focus({ preventScroll: true });
    return first !== null;
  }
  if (keys === "Shift+Enter") {
    select(selected.has(id) ? [...selected].filter((each) => each !== id) : [...selected, id]);
    return true;
  }
  return false;
}

/** The nearest thing in a direction; without a start the first. */
function neighbour(board: Board, id: string | null, way: Way): string | null {
  const items = board.items().filter(({ type }) => type !== "reroute");
  const from = items.find((item) => item.id === id) ?? items.find((item) => item.selected);
  const middle = (item: (typeof items)[number]) => {
    const { x, y, width, height } = boxOf(item);
    return { x: x + width / 2, y: y + height / 2 };
  };
  if (from === undefined) {
    const [first] = items.toSorted((a, b) => a.position.x - b.position.x);
    return first?.id ?? null;
  }
  const start = middle(from);
  let best: string | null = null;
  let least = Infinity;
  for (const item of items) {
    if (item === from) continue;
    const { x, y } = middle(item);
    const [across, down] = [x - start.x, y - start.y];
    const ahead = { Up: -down, Down: down, Left: -across, Right: across }[way];
    const aside = Math.abs(way === "Up" || way === "Down" ? across : down);
    const distance = ahead + aside * 2;
    if (ahead > 8 && distance < least) {
      least = distance;
      best = item.id;
    }
  }
  return best;
}

function nudge(board: Board, way: Way, by: number): boolean {
  const { selected, moveItems, view } = board.editor();
  if (selected.size === 0) return false;
  const x = { Left: -by, Right: by, Up: 0, Down: 0 }[way];
  const y = { Up: -by, Down: by, Left: 0, Right: 0 }[way];
  const items = board.items();
  const frames = items.filter(({ id, type }) => type === "frame" && selected.has(id));
  const moved = new Set([
    ...selected,
    ...frames.flatMap((frame) => membersOf(frame, items).map(({ id }) => id)),
  ]);
  const places = new Map(
    [...moved].flatMap((id) => {
      const place = view?.placeOf(id);
      return place == null ? [] : [[id, { x: place.x + x, y: place.y + y }] as const];
    }),
  );
  moveItems(places, "keys");
  return true;
}

function onPortKey(event: KeyboardEvent, keys: string, port: PortRef, board: Board): boolean {
  const { openWire, setOpenWire, connectPorts, disconnectPort, announce, open, view } =
    board.editor();
  if (openWire !== null) {
    if (isWay(keys)) return toFitting(board, port, keys === "Down" || keys === "Right" ? 1 : -1);
    if (keys === "Esc") {
      setOpenWire(null);
      view?.focusPort(openWire.from);
      announce(say("live.wireDropped"));
      return true;
    }
    if (keys === "Enter" || keys === "Space") {
      if (keys === "Space" || board.editor().verdictOn(port) !== "ok") return search(board, event);
      const [output, input] = port.side === "in" ? [openWire.from, port] : [port, openWire.from];
      setOpenWire(null);
      connectPorts(
        { node: output.node, output: output.name },
        { node: input.node, input: input.name },
      );
      return true;
    }
    return false;
  }
  if (keys === (port.side === "in" ? "Left" : "Right")) {
    const [wire] = wiresAt(board, port);
    if (wire !== undefined) view?.focusWire(wireKey(wire));
    return true;
  }
  if (isWay(keys)) return toPort(event, keys);
  if (keys === "Enter") return startWire(board, port);
  if (keys === "Space") {
    open({ kind: "search", at: placeOf(event), purpose: { kind: "wire", from: port } });
    return true;
  }
  if ((keys === "Delete" || keys === "Backspace") && port.side === "in") {
    disconnectPort({ node: port.node, input: port.name });
    return true;
  }
  if (keys === "Esc") {
    const node = event.target instanceof Element ? event.target.closest(".react-flow__node") : null;
    if (node instanceof HTMLElement) node.focus({ preventScroll: true });
    return true;
  }
  return false;
}

function startWire(board: Board, port: PortRef): boolean {
  const { setOpenWire, announce, view } = board.editor();
  setOpenWire({ from: port, moved: null, by: "keyboard" });
  const count = fittingPorts(board, view?.ports() ?? []).length;
  const from = `${titleIn(activeGraph(board.editor()), port.node)}, ${port.name}`;
  announce(
    count === 0
      ? say("live.wireNowhere", { from })
      : sayCount("live.wireOne", "live.wire", count, { from }),
  );
  if (count > 0) toFitting(board, port, 1);
  return true;
}

const fittingPorts = (board: Board, ports: readonly PortRef[]): readonly PortRef[] =>
  ports.filter((port) => board.editor().verdictOn(port) === "ok");

const isSame = (a: PortRef, b: PortRef) =>
  a.node === b.node && a.side === b.side && a.name === b.name;

/** Go to the next port that the open wire fits into. */
function toFitting(board: Board, from: PortRef, by: 1 | -1): boolean {
  const all = board.editor().view?.ports() ?? [];
  const at = all.findIndex((port) => isSame(port, from));
  const order =
    by === 1
      ? [...all.slice(at + 1), ...all.slice(0, at)]
      : [...all.slice(0, at).reverse(), ...all.slice(at + 1).reverse()];
  const [next] = fittingPorts(board, order);
  if (next !== undefined) board.editor().view?.focusPort(next);
  return true;
}

/** Between the ports of one node: up and down on a side, and across. */
function toPort(event: KeyboardEvent, way: Way): boolean {
  const own =
    event.target instanceof Element ? event.target.closest<HTMLElement>("[data-port]") : null;
  const node = own?.closest("[data-node-id]");
  if (own == null || node == null) return false;
  const side = own.dataset["port"]?.startsWith("in:") === true ? "in" : "out";
  const wanted = way === "Left" ? "in" : way === "Right" ? "out" : side;
  const ports = [...node.querySelectorAll<HTMLElement>(`[data-port^="${wanted}:"]`)];
  const at = ports.indexOf(own);
  const next = way === "Up" ? ports[at - 1] : way === "Down" ? ports[at + 1] : ports[0];
  next?.focus({ preventScroll: true });
  return true;
}

function search(board: Board, event: KeyboardEvent): boolean {
  const { openWire, open } = board.editor();
  if (openWire === null) return false;
  open({ kind: "search", at: placeOf(event), purpose: { kind: "wire", from: openWire.from } });
  return true;
}

function placeOf(event: KeyboardEvent): { readonly x: number; readonly y: number } {
  const box = event.currentTarget.getBoundingClientRect();
  const own = event.target instanceof Element ? event.target.getBoundingClientRect() : box;
  return {
    x: Math.min(Math.max(own.right + 80, box.left + 40), box.right - 360),
    y: Math.min(Math.max(own.top, box.top + 40), box.bottom - 200),
  };
}
