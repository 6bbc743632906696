/** The view that moves on while something is held near the edge of the canvas. */

import type { Box, Point } from "../state/canvas";
import type { Board, Gesture } from "./gestures";

const MARGIN = 40;
const FASTEST = 16;

/** How far the view moves in one frame, by how near to an edge the pointer is. */
export function driftAt({ x, y, width, height }: Box, at: Point): Point {
  return { x: along(at.x - x, width), y: along(at.y - y, height) };
}

function along(place: number, length: number): number {
  const near = (distance: number): number =>
    Math.min(1, Math.max(0, (MARGIN - distance) / MARGIN)) * FASTEST;
  return near(place) - near(length - place);
}

/** The gesture, with a view that follows it over the edges. */
export function drifting(board: Board, gesture: Gesture): Gesture {
  let frame = 0;
  let place: Point = { x: 0, y: 0 };
  const step = () => {
    const box = board.bounds();
    const { x, y } = box === null ? { x: 0, y: 0 } : driftAt(box, place);
    frame = x === 0 && y === 0 ? 0 : requestAnimationFrame(step);
    if (frame === 0) return;
    board.pan({ x, y });
    gesture.move(place);
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    frame = 0;
  };
  return {
    move: (at) => {
      place = at;
      gesture.move(at);
      if (frame === 0) frame = requestAnimationFrame(step);
    },
    end: (at, target) => {
      stop();
      gesture.end(at, target);
    },
    cancel: () => {
      stop();
      gesture.cancel();
    },
  };
}
