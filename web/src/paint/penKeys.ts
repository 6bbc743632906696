/** The easel by keys: the tools, the zoom, and a pen that arrows move. */

import type { KeyboardEvent } from "react";

import { FITTING, zoomed } from "../widgets/zooming";
import { useEditor } from "../state/store";
import { say } from "../words";
import type { Tool } from "./easel";
import type { Sight } from "./sight";
import type { Hand, Held, Zooming } from "./usePen";

type Acts = Readonly<Record<string, () => void>>;

const TOOLS: Readonly<Record<string, Tool>> = { b: "brush", e: "eraser", g: "fill", l: "lasso" };

export function keysOn(hand: Hand, sight: Sight, held: Held, setZoom: Zooming) {
  const actOf = (event: KeyboardEvent): (() => void) | undefined => {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) return undoing(hand, key, event.shiftKey);
    const tool = TOOLS[key];
    if (tool !== undefined) return () => hand.change({ tool });
    const isOnPicture = event.target === hand.area.current;
    const moves = isOnPicture ? movesOf(hand, sight, held, event.shiftKey ? 32 : 4) : {};
    return toolsOf(hand, setZoom)[key] ?? moves[key];
  };
  return (event: KeyboardEvent) => {
    const act = actOf(event);
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
}

function undoing({ easel }: Hand, key: string, isShifted: boolean): (() => void) | undefined {
  if (key === "z") return () => (isShifted ? easel.redo() : easel.undo());
  return key === "y" ? () => easel.redo() : undefined;
}

function toolsOf({ easel, change, done }: Hand, setZoom: Zooming): Acts {
  const { size, tool } = easel.settings;
  const closer = () => setZoom((old) => zoomed(old, 1.25));
  return {
    "[": () => change({ size: Math.max(1, Math.floor(size / 1.2)) }),
    "]": () => change({ size: Math.min(800, Math.ceil(size * 1.2)) }),
    x: () => change({ tool: tool === "eraser" ? "brush" : "eraser" }),
    i: () => easel.change("invert"),
    "+": closer,
    "=": closer,
    "-": () => setZoom((old) => zoomed(old, 0.8)),
    "0": () => setZoom(() => FITTING),
    escape: done,
  };
}

function movesOf({ easel }: Hand, sight: Sight, held: Held, by: number): Acts {
  const nudge = (dx: number, dy: number) => () => {
    const { x, y, isDown } = held.pen;
    const to = { x: clamp(x + dx, easel.mask.width), y: clamp(y + dy, easel.mask.height) };
    held.pen = { ...to, isDown };
    if (isDown) easel.move(to);
    sight.showRing(to);
  };
  const press = () => {
    const { x, y, isDown } = held.pen;
    held.pen = { x, y, isDown: !isDown };
    if (isDown) easel.end();
    else easel.begin({ x, y });
    const at = { x: Math.round(x), y: Math.round(y) };
    useEditor.getState().announce(say(isDown ? "paint.penUp" : "paint.penDown", at));
    sight.showRing({ x, y });
  };
  return {
    " ": press,
    arrowleft: nudge(-by, 0),
    arrowright: nudge(by, 0),
    arrowup: nudge(0, -by),
    arrowdown: nudge(0, by),
  };
}

const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
