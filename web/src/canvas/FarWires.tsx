import { useStore } from "@xyflow/react";
import { useEffect, useMemo, useRef } from "react";

import { typeLook } from "../look/types";
import type { Point } from "../state/canvas";
import { controls } from "./curves";
import type { Item, WireItem } from "./flow";
import { byId, pointsOf } from "./places";

interface Props {
  readonly items: readonly Item[];
  readonly wires: readonly WireItem[];
}

/** All wires as one picture: from afar there are too many for an element each. */
export function FarWires({ items, wires }: Props) {
  const drawn = useRef<HTMLCanvasElement>(null);
  const [x, y, zoom] = useStore((store) => store.transform);
  const width = useStore((store) => store.width);
  const height = useStore((store) => store.height);
  const byHue = useMemo(() => grouped(items, wires), [items, wires]);
  useEffect(() => {
    const sheet = drawn.current;
    const pen = sheet?.getContext("2d") ?? null;
    if (sheet === null || pen === null) return;
    const dense = window.devicePixelRatio;
    const [across, down] = [Math.round(width * dense), Math.round(height * dense)];
    if (sheet.width !== across || sheet.height !== down) {
      sheet.width = across;
      sheet.height = down;
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, sheet.width, sheet.height);
    pen.setTransform(zoom * dense, 0, 0, zoom * dense, x * dense, y * dense);
    pen.lineWidth = Math.max(2, 1 / zoom);
    pen.globalAlpha = 0.6;
    for (const [hue, paths] of byHue) {
      sheet.style.color = hue;
      pen.strokeStyle = getComputedStyle(sheet).color;
      pen.beginPath();
      for (const points of paths) trace(pen, points);
      pen.stroke();
    }
  }, [byHue, x, y, zoom, width, height]);
  return <canvas ref={drawn} className="far-wires" aria-hidden="true" />;
}

function grouped(
  items: readonly Item[],
  wires: readonly WireItem[],
): ReadonlyMap<string, readonly (readonly Point[])[]> {
  const known = byId(items);
  const found = new Map<string, (readonly Point[])[]>();
  for (const wire of wires) {
    if (wire.data === undefined) continue;
    const { hue } = typeLook(wire.data.type);
    const paths = found.get(hue) ?? [];
    paths.push(pointsOf(known, wire));
    found.set(hue, paths);
  }
  return found;
}

function trace(pen: CanvasRenderingContext2D, points: readonly Point[]): void {
  let from = points[0];
  if (from === undefined) return;
  pen.moveTo(from.x, from.y);
  for (const to of points.slice(1)) {
    const [a, b] = controls(from, to);
    pen.bezierCurveTo(a.x, a.y, b.x, b.y, to.x, to.y);
    from = to;
  }
}
