import {
  useEffect,
  useRef,
  useState,
  type DragEvent,
  type MouseEvent,
  type PointerEvent,
  type RefObject,
} from "react";

import { nodeId } from "../graph/ids";
import type { Point, PortRef } from "../state/canvas";
import { activeGraph } from "../state/tabs";
import { wiresOf } from "../graph/wiring";
import { drifting } from "./drift";
import { droppedOn } from "./dropping";
import {
  boxGesture,
  cutGesture,
  drawWire,
  finishWire,
  wireGesture,
  type Board,
  type Gesture,
} from "./gestures";
import { openMenu, openMenuOf } from "./menus";
import { targetOf } from "./targets";

const LONG_PRESS = 500;

/** The port under the pointer, by the page's own marks. */
export function portOf(element: Element | null): PortRef | null {
  const port = element?.closest("[data-port]");
  const node = port?.closest("[data-node-id]")?.getAttribute("data-node-id");
  const [side, ...name] = port?.getAttribute("data-port")?.split(":") ?? [];
  if (node == null || (side !== "in" && side !== "out")) return null;
  return { node: nodeId(node), side, name: name.join(":") };
}

/** One set of listeners for the whole canvas: what is under the pointer decides. */
export function usePointer(root: RefObject<HTMLDivElement | null>, board: Board) {
  const [hand] = useState<Hand>(() => ({ gesture: null, isCutting: false, hasEnded: false }));
  const place = useRef<Point | null>(null);
  useCutKey(hand);
  useEffect(() => {
    const move = (event: globalThis.PointerEvent) => {
      const at = { x: event.clientX, y: event.clientY };
      place.current = isOver(root.current, event.target) ? at : null;
      if (hand.gesture !== null) hand.gesture.move(at);
      else {
        const { openWire } = board.editor();
        if (openWire?.by === "pointer") drawWire(board, openWire, at);
      }
    };
    const end = (event: globalThis.PointerEvent) => {
      const ended = hand.gesture;
      hand.gesture = null;
      const at = { x: event.clientX, y: event.clientY };
      if (ended !== null) letGo(hand, true);
      ended?.end(at, document.elementFromPoint(at.x, at.y));
    };
    const cancel = () => {
      hand.gesture?.cancel();
      hand.gesture = null;
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", end);
    window.addEventListener("pointercancel", cancel);
    return () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", end);
      window.removeEventListener("pointercancel", cancel);
    };
  }, [board, root, hand]);
  const [handlers] = useState(() => handlersFor(board, hand));
  return { handlers, place };
}

const isOver = (root: Element | null, target: EventTarget | null): boolean =>
  root !== null && target instanceof Element && root.contains(target);

/** What the hand is doing: apart from what is drawn, so that nothing is drawn anew for it. */
interface Hand {
  gesture: Gesture | null;
  /** Whether Y is held: then a stroke cuts wires. */
  isCutting: boolean;
  /** Whether a gesture has just ended: the click that follows is none. */
  hasEnded: boolean;
}

const handlersFor = (board: Board, hand: Hand) => ({
  ...pressing(board, hand),
  ...guarding(hand),
  ...asking(board, hand),
});

/** What a press begins: a gesture, or the menu once it has lasted. */
function pressing(board: Board, hand: Hand) {
  let pressed: ReturnType<typeof setTimeout> | undefined;
  let pressedAt: Point = { x: 0, y: 0 };
  return {
    onPointerDownCapture: (event: PointerEvent) => {
      const target = event.target instanceof Element ? event.target : null;
      const at = { x: event.clientX, y: event.clientY };
      clearTimeout(pressed);
      letGo(hand, false);
      if (event.pointerType === "touch") {
        pressedAt = at;
        pressed = setTimeout(() => openMenu(board, at, target), LONG_PRESS);
      }
      const { openWire } = board.editor();
      if (openWire?.by === "pointer" && event.button === 0) {
        event.stopPropagation();
        finishWire(board, at, target);
        return;
      }
      const begun = begunBy(event, board, hand, target);
      if (begun === null) return;
      event.stopPropagation();
      hold(hand, begun);
    },
    onPointerMoveCapture: (event: PointerEvent) => {
      if (Math.hypot(event.clientX - pressedAt.x, event.clientY - pressedAt.y) > 8)
        clearTimeout(pressed);
    },
    onPointerUpCapture: () => clearTimeout(pressed),
  };
}

/** The gesture of our own that a press begins: a wire, a cut or a box. */
function begunBy(
  event: PointerEvent,
  board: Board,
  hand: Hand,
  target: Element | null,
): Gesture | null {
  const at = { x: event.clientX, y: event.clientY };
  const port = portOf(target);
  if (port !== null && event.button === 0)
    return drifting(board, wireGesture(board, port, at, heldBy(board, port)));
  if (hand.isCutting || (event.button === 2 && event.ctrlKey)) return cutGesture(board, at);
  const isPane = target?.classList.contains("react-flow__pane") === true;
  const how = isPane && event.button === 0 ? boxHow(board, event) : null;
  return how === null ? null : drifting(board, boxGesture(board, at, how));
}

/** Keeps what React Flow and its zooming listen for from them, while a gesture of ours goes on. */
function guarding(hand: Hand) {
  return {
    onMouseDownCapture: (event: MouseEvent) => {
      if (hand.gesture !== null) event.stopPropagation();
    },
    onTouchStartCapture: (event: React.TouchEvent) => {
      if (hand.gesture !== null && event.touches.length === 1) event.stopPropagation();
    },
    onClickCapture: (event: MouseEvent) => {
      if (hand.hasEnded) event.stopPropagation();
      letGo(hand, false);
    },
  };
}

/** Menus, double clicks, and what is dropped from outside. */
function asking(board: Board, hand: Hand) {
  return {
    onContextMenu: (event: MouseEvent) => {
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest("input, textarea, select") != null) return;
      event.preventDefault();
      if (event.ctrlKey || hand.gesture !== null) return;
      // A key asks for the menu of what has the focus, wherever the pointer is.
      if (target !== null && event.button !== 2 && target === document.activeElement)
        openMenuOf(board, target);
      else openMenu(board, { x: event.clientX, y: event.clientY }, target);
    },
    onDoubleClick: (event: MouseEvent) => doubleClicked(board, event),
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      droppedOn(board, event);
    },
  };
}

/** The wire whose end is at an input, the last one if there are several. */
function heldBy(board: Board, port: PortRef) {
  if (port.side === "out") return null;
  const wires = wiresOf(activeGraph(board.editor()));
  return wires.findLast(({ to }) => to.node === port.node && to.input === port.name) ?? null;
}

function boxHow(board: Board, event: PointerEvent): "replace" | "add" | "remove" | null {
  if (event.shiftKey) return "add";
  if (event.altKey) return "remove";
  if (event.ctrlKey || event.metaKey) return "replace";
  return board.editor().tool === "select" && event.pointerType !== "touch" ? "replace" : null;
}

function doubleClicked(board: Board, event: MouseEvent): void {
  const target = event.target instanceof Element ? event.target : null;
  const at = { x: event.clientX, y: event.clientY };
  if (target?.classList.contains("react-flow__pane") === true) {
    board.editor().open({ kind: "search", at, purpose: { kind: "add" } });
    return;
  }
  const item = targetOf(target);
  if (item.kind !== "item" || target?.closest("input, textarea, button, .node-title") != null)
    return;
  if (item.id.startsWith("wire:")) {
    const [{ x, y }, scale] = [board.toFlow(at), board.scale()];
    board.editor().addReroute(item.id, { x: Math.round(x / scale), y: Math.round(y / scale) });
  }
  if (!item.id.includes(":")) board.editor().enter(nodeId(item.id));
}

/** Y held makes strokes cut. */
function useCutKey(hand: Hand): void {
  useEffect(() => {
    const change = (event: KeyboardEvent) => {
      const isText = event.target instanceof Element && event.target.closest("input, textarea");
      if (event.key.toLowerCase() !== "y" || event.ctrlKey || event.metaKey || isText) return;
      holdCut(hand, event.type === "keydown");
    };
    window.addEventListener("keydown", change);
    window.addEventListener("keyup", change);
    return () => {
      window.removeEventListener("keydown", change);
      window.removeEventListener("keyup", change);
    };
  }, [hand]);
}

function letGo(hand: Hand, hasEnded: boolean): void {
  hand.hasEnded = hasEnded;
}

function holdCut(hand: Hand, isHeld: boolean): void {
  hand.isCutting = isHeld;
}

function hold(hand: Hand, gesture: Gesture): void {
  hand.gesture = gesture;
}
