import { useStoreApi } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";

import type { Item, WireItem } from "./flow";
import { REST } from "./level";
import { NO_PATHS, pathsOf, touches, type Paths } from "./paths";
import { Colours, WireSheet } from "./sheet";

interface Props {
  /** Where everything is, and where it was before what is `moved` now. */
  readonly items: readonly Item[];
  readonly still: readonly Item[];
  readonly moved: ReadonlySet<string>;
  readonly wires: readonly WireItem[];
}

/** All wires as one picture: from afar there are too many for an element each. */
export function FarWires({ items, still, moved, wires }: Props) {
  const all = useRef<HTMLCanvasElement>(null);
  const few = useRef<HTMLCanvasElement>(null);
  const resting = useMemo(
    () => pathsOf(still, moved.size > 0 ? wires.filter((wire) => !touches(wire, moved)) : wires),
    [still, wires, moved],
  );
  const dragged = useMemo(
    () => wires.filter((wire) => moved.size > 0 && touches(wire, moved)),
    [wires, moved],
  );
  const dragging = useMemo(
    () => (dragged.length > 0 ? pathsOf(items, dragged) : NO_PATHS),
    [items, dragged],
  );
  useSheet(all, resting, 0.5);
  // Drawn in each frame of a drag, so no more of it than is seen.
  useSheet(few, dragging, 0);
  return (
    <>
      <canvas ref={all} className="far-wires" aria-hidden="true" />
      <canvas ref={few} className="far-wires" aria-hidden="true" />
    </>
  );
}

function useSheet(canvas: RefObject<HTMLCanvasElement | null>, paths: Paths, around: number): void {
  const store = useStoreApi();
  const [colours] = useState(() => new Colours());
  useEffect(() => {
    if (canvas.current === null) return;
    const sheet = new WireSheet(canvas.current, colours, around);
    const view = () => {
      const { transform, width, height } = store.getState();
      return { transform, width, height };
    };
    const draw = () => sheet.draw(paths, view());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = store.subscribe((now, before) => {
      const isResized = now.width !== before.width || now.height !== before.height;
      if (now.transform === before.transform && !isResized) return;
      clearTimeout(timer);
      if (isResized || !sheet.follow(view())) draw();
      else timer = setTimeout(() => !sheet.isSharp(view()) && draw(), REST);
    });
    draw();
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [canvas, paths, around, store, colours]);
}
