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

function handlersFor(board: Board, hand: Hand) {
  let pressed: ReturnType<typeof setTimeout> | undefined;
  let pressedAt: Point = { x: 0, y: 0 };
  const begin = (event: PointerEvent, started: Gesture) => {
    event.stopPropagation();
    hand.gesture = started;
  };
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
      const port = portOf(target);
      if (port !== null && event.button === 0) {
        begin(event, drifting(board, wireGesture(board, port, at, heldBy(board, port))));
        return;
      }
      const isCut = hand.isCutting || (event.button === 2 && event.ctrlKey);
      if (isCut) begin(event, cutGesture(board, at));
      else if (target?.classList.contains("react-flow__pane") === true && event.button === 0) {
        const how = boxHow(board, event);
        if (how !== null) begin(event, drifting(board, boxGesture(board, at, how)));
      }
    },
    // What React Flow and its zooming listen for, while a gesture of ours goes on.
    onMouseDownCapture: (event: MouseEvent) => {
      if (hand.gesture !== null) event.stopPropagation();
    },
    onTouchStartCapture: (event: React.TouchEvent) => {
      if (hand.gesture !== null && event.touches.length === 1) event.stopPropagation();
    },
    onPointerMoveCapture: (event: PointerEvent) => {
      if (Math.hypot(event.clientX - pressedAt.x, event.clientY - pressedAt.y) > 8)
        clearTimeout(pressed);
    },
    onClickCapture: (event: MouseEvent) => {
      if (hand.hasEnded) event.stopPropagation();
      letGo(hand, false);
    },
    onPointerUpCapture: () => clearTimeout(pressed),
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
