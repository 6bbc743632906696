import { useStoreApi } from "@xyflow/react";
import { createContext, useEffect, useState, type RefObject } from "react";

import type { Turns } from "./turns";

/** How much of a node is drawn: all, title and picture, or a block of colour. */
export type Level = "near" | "far" | "block";

export const levelAt = (zoom: number): Level =>
  zoom < 0.2 ? "block" : zoom < 0.45 ? "far" : "near";

export const LevelContext = createContext<Level>("near");
/** Whose turn it is to be drawn whole; none where all are drawn at once. */
export const TurnsContext = createContext<Turns | null>(null);

const DETAIL: Readonly<Record<Level, number>> = { block: 0, far: 1, near: 2 };
/** How long the view stands still, in milliseconds, before more is drawn. */
export const REST = 120;

/** The level that is drawn: less as soon as the view goes away, more once it has come to rest. */
export function useLevel(root: RefObject<HTMLElement | null>, turns: Turns): Level {
  const store = useStoreApi();
  const [level, setLevel] = useState(() => levelAt(store.getState().transform[2]));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const rest = () => {
      root.current?.removeAttribute("data-moving");
      turns.setMoving(false);
      setLevel(levelAt(store.getState().transform[2]));
    };
    const stop = store.subscribe(({ transform }, before) => {
      if (transform === before.transform) return;
      clearTimeout(timer);
      timer = setTimeout(rest, REST);
      if (turns.setMoving(true)) root.current?.setAttribute("data-moving", "");
      const now = levelAt(transform[2]);
      setLevel((drawn) => (DETAIL[now] < DETAIL[drawn] ? now : drawn));
    });
    return () => {
      stop();
      clearTimeout(timer);
      turns.setMoving(false);
    };
  }, [store, root, turns]);
  return level;
}
