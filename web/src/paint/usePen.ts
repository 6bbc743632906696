/** The hand over the easel: mouse, pen, fingers and keys. */

import {
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  type WheelEvent,
} from "react";

import { FITTING, transformOf, zoomed, type Zoom } from "../widgets/zooming";
import { useEditor } from "../state/store";
import { say } from "../words";
import type { Easel, Settings, Tool } from "./easel";
import type { Point } from "./raster";

interface Hand {
  readonly easel: Easel;
  readonly area: RefObject<HTMLElement | null>;
  readonly sheet: RefObject<HTMLElement | null>;
  readonly ring: RefObject<HTMLElement | null>;
  readonly change: (part: Partial<Settings>) => void;
  readonly done: () => void;
}

const TOOLS: Readonly<Record<string, Tool>> = { b: "brush", e: "eraser", g: "fill", l: "lasso" };

export function usePen({ easel, area, sheet, ring, change, done }: Hand) {
  const [zoom, setZoom] = useState<Zoom>(FITTING);
  const pointers = useRef(new Map<number, Point>());
  const isPanning = useRef(false);
  const pen = useRef<Point & { readonly isDown: boolean }>({
    x: easel.mask.width / 2,
    y: easel.mask.height / 2,
    isDown: false,
  });

  const onPicture = (event: { readonly clientX: number; readonly clientY: number }): Point => {
    const box = sheet.current?.getBoundingClientRect();
    if (box === undefined) return { x: 0, y: 0 };
    return {
      x: ((event.clientX - box.left) / box.width) * easel.mask.width,
      y: ((event.clientY - box.top) / box.height) * easel.mask.height,
    };
  };
  const fromMiddle = (point: Point): Point => {
    const box = area.current?.getBoundingClientRect();
    if (box === undefined) return point;
    return { x: point.x - box.x - box.width / 2, y: point.y - box.y - box.height / 2 };
  };
  const showRing = (at: Point) => {
    const own = ring.current;
    const [box, around] = [
      sheet.current?.getBoundingClientRect(),
      area.current?.getBoundingClientRect(),
    ];
    if (own === null || box === undefined || around === undefined) return;
    const scale = box.width / easel.mask.width;
    const size = Math.max(4, easel.settings.size * scale);
    own.style.setProperty("width", `${size}px`);
    own.style.setProperty("height", `${size}px`);
    own.style.setProperty(
      "transform",
      `translate(${box.left - around.left + at.x * scale - size / 2}px, ${box.top - around.top + at.y * scale - size / 2}px)`,
    );
  };

  const down = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    // A second finger moves the picture, and takes back what the first one began.
    if (pointers.current.size > 1) easel.giveUp();
    isPanning.current = pointers.current.size > 1 || event.button === 1;
    if (!isPanning.current)
      easel.begin(onPicture(event), pressureOf(event), event.button === 2 || event.button === 5);
  };
  const move = (event: PointerEvent<HTMLElement>) => {
    showRing(onPicture(event));
    const before = pointers.current.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    pointers.current.set(event.pointerId, now);
    if (!isPanning.current) {
      for (const each of event.nativeEvent.getCoalescedEvents())
        easel.move(onPicture(each), pressureOf(each));
      easel.move(onPicture(event), pressureOf(event));
      return;
    }
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    const spread =
      other === undefined ? 1 : between(now, other) / Math.max(1, between(before, other));
    const share = other === undefined ? 1 : 0.5;
    const middle = fromMiddle(
      other === undefined ? now : { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 },
    );
    setZoom((old) => {
      const next = zoomed(old, spread, middle.x, middle.y);
      return {
        ...next,
        x: next.x + (now.x - before.x) * share,
        y: next.y + (now.y - before.y) * share,
      };
    });
  };
  const up = (event: PointerEvent<HTMLElement>) => {
    pointers.current.delete(event.pointerId);
    if (!isPanning.current) easel.end();
    // The finger that is left must not paint where it was only panning.
    if (pointers.current.size === 0) isPanning.current = false;
  };

  const nudge = (dx: number, dy: number) => {
    const { mask } = easel;
    const { x, y, isDown } = pen.current;
    const to = { x: clamp(x + dx, mask.width), y: clamp(y + dy, mask.height) };
    pen.current = { ...to, isDown };
    if (isDown) easel.move(to);
    showRing(to);
  };
  const press = () => {
    const { x, y, isDown } = pen.current;
    pen.current = { x, y, isDown: !isDown };
    if (isDown) easel.end();
    else easel.begin({ x, y });
    const at = { x: Math.round(x), y: Math.round(y) };
    useEditor.getState().announce(say(isDown ? "paint.penUp" : "paint.penDown", at));
    showRing({ x, y });
  };
  const keys = (event: KeyboardEvent): (() => void) | undefined => {
    const { settings } = easel;
    const by = event.shiftKey ? 32 : 4;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") return () => (event.shiftKey ? easel.redo() : easel.undo());
      return key === "y" ? () => easel.redo() : undefined;
    }
    const tool = TOOLS[key];
    if (tool !== undefined) return () => change({ tool });
    const acts: Readonly<Record<string, () => void>> = {
      "[": () => change({ size: Math.max(1, Math.floor(settings.size / 1.2)) }),
      "]": () => change({ size: Math.min(800, Math.ceil(settings.size * 1.2)) }),
      x: () => change({ tool: settings.tool === "eraser" ? "brush" : "eraser" }),
      i: () => easel.change("invert"),
      "+": () => setZoom((old) => zoomed(old, 1.25)),
      "=": () => setZoom((old) => zoomed(old, 1.25)),
      "-": () => setZoom((old) => zoomed(old, 0.8)),
      "0": () => setZoom(FITTING),
      escape: done,
    };
    const isOnPicture = event.target === area.current;
    const moves: Readonly<Record<string, () => void>> = {
      " ": press,
      arrowleft: () => nudge(-by, 0),
      arrowright: () => nudge(by, 0),
      arrowup: () => nudge(0, -by),
      arrowdown: () => nudge(0, by),
    };
    return acts[key] ?? (isOnPicture ? moves[key] : undefined);
  };

  return {
    zoom,
    transform: transformOf(zoom),
    fit: () => setZoom(FITTING),
    onKeyDown: (event: KeyboardEvent) => {
      const act = keys(event);
      if (act === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    },
    handlers: {
      onPointerDown: down,
      onPointerMove: move,
      onPointerUp: up,
      onPointerCancel: up,
      onContextMenu: (event: { preventDefault: () => void }) => event.preventDefault(),
      onWheel: (event: WheelEvent) => {
        const { x, y } = fromMiddle({ x: event.clientX, y: event.clientY });
        setZoom((old) => zoomed(old, Math.exp(-event.deltaY / 400), x, y));
      },
    },
  };
}

/** A pen's pressure makes the line wider; a mouse and a finger have none. */
const pressureOf = (event: { readonly pointerType: string; readonly pressure: number }): number =>
  event.pointerType === "pen" ? 0.15 + 0.85 * event.pressure : 1;

const between = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
