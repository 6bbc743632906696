import { useReactFlow, useStoreApi } from "@xyflow/react";
import { memo, useEffect, useRef, type PointerEvent, type RefObject } from "react";

import { say } from "../words";
import type { Box } from "../state/canvas";
import type { Item } from "./flow";
import { boundsOf, boxOf } from "./places";

const WIDTH = 184;
const HEIGHT = 120;
const MARGIN = 8;
/** It is drawn no more often than this, in milliseconds. */
const PAUSE = 100;

/** How the graph lies in the map. */
interface Frame {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

/** All of the graph, small, with what is in sight. Press or drag to go there. */
export const Minimap = memo(function Minimap({ items }: { readonly items: readonly Item[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useMap(canvas, items);
  const { setCenter, getZoom } = useReactFlow();
  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const { left, top, scale } = frameOf(shown.current);
    const px = ((event.clientX - box.left) / box.width) * WIDTH;
    const py = ((event.clientY - box.top) / box.height) * HEIGHT;
    event.currentTarget.setPointerCapture(event.pointerId);
    void setCenter((px - left) / scale, (py - top) / scale, { zoom: getZoom() });
  };
  const dense = window.devicePixelRatio;
  return (
    <canvas
      ref={canvas}
      className="minimap"
      width={WIDTH * dense}
      height={HEIGHT * dense}
      role="img"
      aria-label={say("canvas.minimap")}
      onPointerDown={go}
      onPointerMove={go}
    />
  );
});

/** Keeps the map as the graph is; the answer is what it shows. */
function useMap(
  canvas: RefObject<HTMLCanvasElement | null>,
  items: readonly Item[],
): RefObject<readonly Item[]> {
  const shown = useRef(items);
  const redraw = useRef<(() => void) | null>(null);
  const store = useStoreApi();
  useEffect(() => {
    const sheet = canvas.current;
    if (sheet === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let blocks: { readonly of: readonly Item[]; readonly drawn: HTMLCanvasElement } | null = null;
    const draw = () => {
      timer = undefined;
      const frame = frameOf(shown.current);
      if (blocks?.of !== shown.current)
        blocks = { of: shown.current, drawn: picture(sheet, shown.current, frame) };
      const { transform, width, height } = store.getState();
      drawView(sheet, blocks.drawn, frame, seen(transform, width, height));
    };
    const soon = () => {
      timer ??= setTimeout(draw, PAUSE);
    };
    redraw.current = soon;
    draw();
    const stop = store.subscribe((now, before) => {
      const isMoved = now.transform !== before.transform;
      if (isMoved || now.width !== before.width || now.height !== before.height) soon();
    });
    return () => {
      stop();
      clearTimeout(timer);
      redraw.current = null;
    };
  }, [store, canvas]);
  useEffect(() => {
    shown.current = items;
    redraw.current?.();
  }, [items]);
  return shown;
}

const seen = ([x, y, zoom]: readonly [number, number, number], width: number, height: number) => ({
  x: -x / zoom,
  y: -y / zoom,
  width: width / zoom,
  height: height / zoom,
});

function frameOf(items: readonly Item[]): Frame {
  const whole = boundsOf(items);
  const scale = Math.min((WIDTH - 2 * MARGIN) / whole.width, (HEIGHT - 2 * MARGIN) / whole.height);
  const left = (WIDTH - whole.width * scale) / 2 - whole.x * scale;
  const top = (HEIGHT - whole.height * scale) / 2 - whole.y * scale;
  return { left, top, scale };
}

/** The blocks of the map, kept until something moves. */
function picture(
  sheet: HTMLCanvasElement,
  items: readonly Item[],
  { left, top, scale }: Frame,
): HTMLCanvasElement {
  const kept = document.createElement("canvas");
  kept.width = sheet.width;
  kept.height = sheet.height;
  const pen = kept.getContext("2d");
  if (pen === null) return kept;
  const { color, outlineColor } = getComputedStyle(sheet);
  const dense = window.devicePixelRatio;
  pen.setTransform(dense, 0, 0, dense, left * dense, top * dense);
  for (const item of items) {
    const { x, y, width, height } = boxOf(item);
    pen.globalAlpha = item.type === "frame" ? 0.2 : 0.75;
    pen.fillStyle = item.selected === true ? outlineColor : color;
    pen.fillRect(x * scale, y * scale, Math.max(1, width * scale), Math.max(1, height * scale));
  }
  return kept;
}

function drawView(
  sheet: HTMLCanvasElement,
  blocks: HTMLCanvasElement,
  { left, top, scale }: Frame,
  view: Box,
): void {
  const pen = sheet.getContext("2d");
  if (pen === null) return;
  const dense = window.devicePixelRatio;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, sheet.width, sheet.height);
  pen.drawImage(blocks, 0, 0);
  pen.setTransform(dense, 0, 0, dense, left * dense, top * dense);
  pen.strokeStyle = getComputedStyle(sheet).outlineColor;
  pen.lineWidth = 1.5;
  pen.strokeRect(view.x * scale, view.y * scale, view.width * scale, view.height * scale);
}
