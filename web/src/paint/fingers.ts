/** Pointers over the easel: one paints, two move and zoom, the wheel zooms. */

import type { PointerEvent, WheelEvent } from "react";

import { zoomed } from "../widgets/zooming";
import type { Point } from "./raster";
import type { Sight } from "./sight";
import type { Hand, Held, Zooming } from "./usePen";

interface Fingers {
  readonly hand: Hand;
  readonly sight: Sight;
  readonly held: Held;
  readonly setZoom: Zooming;
}

export function fingersOn(fingers: Fingers) {
  const { hand, sight, held, setZoom } = fingers;
  const { easel } = hand;
  const down = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    held.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    // A second finger moves the picture, and takes back what the first one began.
    if (held.pointers.size > 1) easel.giveUp();
    held.isPanning = held.pointers.size > 1 || event.button === 1;
    const isErasing = event.button === 2 || event.button === 5;
    if (!held.isPanning) easel.begin(sight.onPicture(event), pressureOf(event), isErasing);
  };
  const move = (event: PointerEvent<HTMLElement>) => {
    sight.showRing(sight.onPicture(event));
    const before = held.pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    held.pointers.set(event.pointerId, now);
    if (held.isPanning) {
      pan(fingers, event.pointerId, before, now);
      return;
    }
    for (const each of [...event.nativeEvent.getCoalescedEvents(), event])
      easel.move(sight.onPicture(each), pressureOf(each));
  };
  const up = (event: PointerEvent<HTMLElement>) => {
    held.pointers.delete(event.pointerId);
    if (!held.isPanning) easel.end();
    // The finger that is left must not paint where it was only panning.
    if (held.pointers.size === 0) held.isPanning = false;
  };
  return {
    onPointerDown: down,
    onPointerMove: move,
    onPointerUp: up,
    onPointerCancel: up,
    onContextMenu: (event: { preventDefault: () => void }) => event.preventDefault(),
    onWheel: (event: WheelEvent) => {
      const { x, y } = sight.fromMiddle({ x: event.clientX, y: event.clientY });
      setZoom((old) => zoomed(old, Math.exp(-event.deltaY / 400), x, y));
    },
  };
}

/** Move the picture by a pointer; with a second one it is zoomed about the middle of the two. */
function pan({ sight, held, setZoom }: Fingers, id: number, before: Point, now: Point): void {
  const other = [...held.pointers].find(([each]) => each !== id)?.[1];
  const spread =
    other === undefined ? 1 : between(now, other) / Math.max(1, between(before, other));
  const share = other === undefined ? 1 : 0.5;
  const middle = sight.fromMiddle(
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
}

/** A pen's pressure makes the line wider; a mouse and a finger have none. */
const pressureOf = (event: { readonly pointerType: string; readonly pressure: number }): number =>
  event.pointerType === "pen" ? 0.15 + 0.85 * event.pressure : 1;

const between = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
