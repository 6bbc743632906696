/** The hand over the easel: mouse, pen, fingers and keys. */

import { useState, type RefObject } from "react";

import { FITTING, transformOf, type Zoom } from "../widgets/zooming";
import type { Easel, Settings } from "./easel";
import { fingersOn } from "./fingers";
import { keysOn } from "./penKeys";
import { sightOf } from "./sight";
import type { Point } from "./raster";

/** What the hand works on. */
export interface Hand {
  readonly easel: Easel;
  readonly area: RefObject<HTMLElement | null>;
  readonly sheet: RefObject<HTMLElement | null>;
  readonly ring: RefObject<HTMLElement | null>;
  readonly change: (part: Partial<Settings>) => void;
  readonly done: () => void;
}

/** Changes the zoom by what it was. */
export type Zooming = (change: (old: Zoom) => Zoom) => void;

/** What is down on the easel. */
export interface Held {
  /** Where each pointer was last, on the page. */
  readonly pointers: Map<number, Point>;
  isPanning: boolean;
  /** The pen of the keys: where it is, and whether it draws. */
  pen: Point & { readonly isDown: boolean };
}

export function usePen(hand: Hand) {
  const { width, height } = hand.easel.mask;
  const [zoom, setZoom] = useState<Zoom>(FITTING);
  const [held] = useState<Held>(() => ({
    pointers: new Map(),
    isPanning: false,
    pen: { x: width / 2, y: height / 2, isDown: false },
  }));
  const sight = sightOf(hand);
  return {
    zoom,
    transform: transformOf(zoom),
    fit: () => setZoom(FITTING),
    onKeyDown: keysOn(hand, sight, held, setZoom),
    handlers: fingersOn({ hand, sight, held, setZoom }),
  };
}
