/** Looking at a picture closely: wheel, pinch and drag move it, by a factor and an offset. */

import { useRef, useState, type PointerEvent, type RefObject, type WheelEvent } from "react";

export interface Zoom {
  /** 1 is the size that fits. */
  readonly factor: number;
  readonly x: number;
  readonly y: number;
}

export const FITTING: Zoom = { factor: 1, x: 0, y: 0 };
const LEAST = 0.25;
const MOST = 40;

/** The zoom by a factor that leaves the point (x, y), from the middle, where it is. */
export function zoomed(zoom: Zoom, by: number, x = 0, y = 0): Zoom {
  const factor = Math.min(MOST, Math.max(LEAST, zoom.factor * by));
  const real = factor / zoom.factor;
  return { factor, x: x - (x - zoom.x) * real, y: y - (y - zoom.y) * real };
}

/** How a zoom is drawn. */
export const transformOf = ({ factor, x, y }: Zoom): string =>
  `translate(${x}px, ${y}px) scale(${factor})`;

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The zoom of an element, and what it does on pointers and the wheel. */
export function useZoom(area: RefObject<HTMLElement | null>) {
  const [zoom, setZoom] = useState(FITTING);
  const pointers = useRef(new Map<number, Point>());

  const fromMiddle = (event: { readonly clientX: number; readonly clientY: number }): Point => {
    const box = area.current?.getBoundingClientRect();
    if (box === undefined) return { x: 0, y: 0 };
    return { x: event.clientX - box.x - box.width / 2, y: event.clientY - box.y - box.height / 2 };
  };

  const move = (event: PointerEvent) => {
    const before = pointers.current.get(event.pointerId);
    if (before === undefined) return;
    const now = fromMiddle(event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, now);
    if (other === undefined) {
      setZoom((old) => ({ ...old, x: old.x + now.x - before.x, y: old.y + now.y - before.y }));
      return;
    }
    const spread = distance(now, other) / Math.max(1, distance(before, other));
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    setZoom((old) => {
      const next = zoomed(old, spread, middle.x, middle.y);
      return { ...next, x: next.x + (now.x - before.x) / 2, y: next.y + (now.y - before.y) / 2 };
    });
  };

  const release = (event: PointerEvent) => pointers.current.delete(event.pointerId);
  return {
    zoom,
    setZoom,
    handlers: {
      onWheel: (event: WheelEvent) => {
        const { x, y } = fromMiddle(event);
        setZoom((old) => zoomed(old, Math.exp(-event.deltaY / 400), x, y));
      },
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        pointers.current.set(event.pointerId, fromMiddle(event));
      },
      onPointerMove: move,
      onPointerUp: release,
      onPointerCancel: release,
    },
  };
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
