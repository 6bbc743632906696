/** What the pointer does on the canvas besides dragging nodes: wires drawn, boxes, wires cut. */

import { nodeId } from "../graph/ids";
import type { Wire } from "../graph/wiring";
import type { Box, OpenWire, Point, PortRef } from "../state/canvas";
import type { EditorState } from "../state/store";
import { boxBetween, crosses, overlap, pathThrough } from "./curves";
import type { Item, WireItem } from "./flow";
import { boxOf, byId, lineOf, nearestPort, nodeAt, portPlace } from "./places";

/** What a gesture sees of the canvas, and where it draws. */
export interface Board {
  readonly editor: () => EditorState;
  readonly items: () => readonly Item[];
  readonly wires: () => readonly WireItem[];
  /** From the window to the measure of React Flow, and from there to the overlay. */
  readonly toFlow: (at: Point) => Point;
  readonly toOverlay: (at: Point) => Point;
  readonly zoom: () => number;
  /** Where the canvas is in the window. */
  readonly bounds: () => Box | null;
  /** Move the view by so many pixels. */
  readonly pan: (by: Point) => void;
  /** How many pixels of React Flow one of the document is. */
  readonly scale: () => number;
  readonly draw: (kind: "wire" | "box" | "cut" | null, path: string, hue?: string) => void;
  readonly hueOf: (port: PortRef) => string;
}

/** One press of the pointer, from its beginning to its end. */
export interface Gesture {
  readonly move: (at: Point) => void;
  readonly end: (at: Point, target: Element | null) => void;
  readonly cancel: () => void;
}

/** How far a pointer may stray from a click, in pixels. */
const STILL = 5;
const REACH = 28;

const far = (a: Point, b: Point): boolean => Math.hypot(a.x - b.x, a.y - b.y) > STILL;

/** Draw a wire from a port. From a wired input its end is taken off, once the pointer moves. */
export function wireGesture(board: Board, port: PortRef, start: Point, held: Wire | null): Gesture {
  let isMoving = false;
  const begin = (): OpenWire => {
    const from: PortRef =
      held === null ? port : { node: held.from.node, side: "out", name: held.from.output };
    const wire: OpenWire = { from, moved: held, by: "pointer" };
    board.editor().setOpenWire(wire);
    return wire;
  };
  const move = (at: Point) => {
    if (!isMoving && !far(at, start)) return;
    const wire = isMoving ? (board.editor().openWire ?? begin()) : begin();
    isMoving = true;
    drawWire(board, wire, at);
  };
  return {
    move,
    end: (at, target) => {
      // A click leaves the wire at the pointer, until the next click.
      if (!isMoving) {
        board.editor().setOpenWire({ from: port, moved: null, by: "pointer" });
        return;
      }
      finishWire(board, at, target);
    },
    cancel: () => dropWire(board),
  };
}

export function dropWire(board: Board): void {
  board.editor().setOpenWire(null);
  board.draw(null, "");
}

/** Draw the open wire up to the pointer, or up to the port that it would snap to. */
export function drawWire(board: Board, wire: OpenWire, at: Point): void {
  const place = portPlace(board.items(), wire.from);
  if (place === null) return;
  const snapped = portUnder(board, at);
  const goal = snapped === null ? null : portPlace(board.items(), snapped);
  const end = goal === null ? board.toFlow(at) : goal;
  const ends = wire.from.side === "out" ? [place, end] : [end, place];
  const path = pathThrough(ends.map(board.toOverlay), board.editor().wires);
  board.draw("wire", path, board.hueOf(wire.from));
}

function portUnder(board: Board, at: Point): PortRef | null {
  return nearestPort(
    board.items(),
    board.toFlow(at),
    REACH / board.zoom(),
    (port) => board.editor().verdictOn(port) === "ok",
  );
}

/** Let go of the open wire: on a port, a node, or the empty canvas, where the search opens. */
export function finishWire(board: Board, at: Point, target: Element | null): void {
  const { openWire: wire } = board.editor();
  if (wire === null) return;
  const port = portUnder(board, at) ?? fittingOn(board, at, target);
  const isOnPort = target?.closest("[data-port]") != null;
  const { connectPorts, disconnectPort, open } = board.editor();
  if (port !== null) {
    const [output, input] = wire.from.side === "out" ? [wire.from, port] : [port, wire.from];
    const from = { node: output.node, output: output.name };
    const isWhereItWas = wire.moved?.to.node === input.node && wire.moved.to.input === input.name;
    if (!isWhereItWas) connectPorts(from, { node: input.node, input: input.name }, wire.moved);
  } else if (nodeAt(board.items(), board.toFlow(at)) === null && !isOnPort) {
    if (wire.moved !== null) disconnectPort(wire.moved.to, wire.moved.index);
    else open({ kind: "search", at, purpose: { kind: "wire", from: wire.from } });
  }
  dropWire(board);
}

/** The first port of the node under the pointer that the wire fits into, free ones first. */
function fittingOn(board: Board, at: Point, target: Element | null): PortRef | null {
  const item = nodeAt(board.items(), board.toFlow(at));
  if (item === null || target?.closest("[data-node-id]") == null) return null;
  const { shape, sources } = item.data;
  const spots = [...shape.links, ...shape.fields, ...shape.outputs];
  const fitting = spots.filter(
    ({ side, name }) => board.editor().verdictOn({ node: nodeId(item.id), side, name }) === "ok",
  );
  const best = fitting.find(({ side, name }) => side === "out" || !(name in sources)) ?? fitting[0];
  return best === undefined ? null : { node: nodeId(item.id), side: best.side, name: best.name };
}

/** Select what a box touches; added to the selection, or taken from it. */
export function boxGesture(board: Board, start: Point, how: "replace" | "add" | "remove"): Gesture {
  const before = board.editor().selected;
  const origin = board.toFlow(start);
  return {
    move: (at) => {
      const box = boxBetween(origin, board.toFlow(at));
      const inside = board.items().filter((item) => touches(item, box));
      const ids = inside.map(({ id }) => id);
      if (how === "replace") board.editor().select(ids);
      else if (how === "add") board.editor().select([...before, ...ids]);
      else board.editor().select([...before].filter((id) => !ids.includes(id)));
      const [a, b] = [board.toOverlay(origin), board.toOverlay(board.toFlow(at))];
      board.draw("box", `M${a.x},${a.y}H${b.x}V${b.y}H${a.x}Z`);
    },
    end: (at) => {
      if (!far(at, start) && how === "replace") board.editor().select([]);
      board.draw(null, "");
    },
    cancel: () => {
      board.editor().select(before);
      board.draw(null, "");
    },
  };
}

/** A frame is taken only whole, or everything in it would always come along. */
function touches(item: Item, box: ReturnType<typeof boxBetween>): boolean {
  const own = boxOf(item);
  if (item.type !== "frame") return overlap(own, box);
  return (
    own.x >= box.x &&
    own.y >= box.y &&
    own.x + own.width <= box.x + box.width &&
    own.y + own.height <= box.y + box.height
  );
}

/** Cut every wire that a stroke crosses. */
export function cutGesture(board: Board, start: Point): Gesture {
  const stroke: Point[] = [board.toFlow(start)];
  return {
    move: (at) => {
      stroke.push(board.toFlow(at));
      const path = stroke.map(board.toOverlay).map(({ x, y }) => `${x},${y}`);
      board.draw("cut", `M${path.join("L")}`);
    },
    end: () => {
      board.draw(null, "");
      const { wires: course, cutWires } = board.editor();
      const known = byId(board.items());
      const met = board.wires().filter((wire) => crosses(lineOf(known, wire, course), stroke));
      cutWires(met.flatMap((wire) => (wire.data === undefined ? [] : [wire.data.wire])));
    },
    cancel: () => board.draw(null, ""),
  };
}
