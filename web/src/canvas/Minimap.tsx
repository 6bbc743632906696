import { useReactFlow, useStore } from "@xyflow/react";
import { useEffect, useMemo, useRef, type PointerEvent } from "react";

import { say } from "../words";
import type { Box } from "../state/canvas";
import type { Item } from "./flow";
import { boxOf } from "./places";

const WIDTH = 184;
const HEIGHT = 120;
const MARGIN = 8;

/** All of the graph, small, with what is in sight. Press or drag to go there. */
export function Minimap({ items }: { readonly items: readonly Item[] }) {
  const drawn = useRef<HTMLCanvasElement>(null);
  const { setCenter } = useReactFlow();
  const [x, y, zoom] = useStore((store) => store.transform);
  const width = useStore((store) => store.width);
  const height = useStore((store) => store.height);
  const whole = useMemo(() => boundsOf(items), [items]);
  const scale = Math.min((WIDTH - 2 * MARGIN) / whole.width, (HEIGHT - 2 * MARGIN) / whole.height);
  const left = (WIDTH - whole.width * scale) / 2 - whole.x * scale;
  const top = (HEIGHT - whole.height * scale) / 2 - whole.y * scale;
  const blocks = useRef<HTMLCanvasElement | null>(null);
  useEffect(() => {
    blocks.current = picture(drawn.current, items, { left, top, scale });
  }, [items, left, top, scale]);
  useEffect(() => {
    const sheet = drawn.current;
    const pen = sheet?.getContext("2d");
    if (sheet == null || pen == null || blocks.current === null) return;
    const dense = window.devicePixelRatio;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, sheet.width, sheet.height);
    pen.drawImage(blocks.current, 0, 0);
    pen.setTransform(dense, 0, 0, dense, left * dense, top * dense);
    pen.strokeStyle = getComputedStyle(sheet).getPropertyValue("outline-color");
    pen.lineWidth = 1.5;
    const seen = { x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom };
    pen.strokeRect(seen.x * scale, seen.y * scale, seen.width * scale, seen.height * scale);
  }, [items, x, y, zoom, width, height, left, top, scale]);
  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const px = ((event.clientX - box.left) / box.width) * WIDTH;
    const py = ((event.clientY - box.top) / box.height) * HEIGHT;
    event.currentTarget.setPointerCapture(event.pointerId);
    void setCenter((px - left) / scale, (py - top) / scale, { zoom });
  };
  const dense = window.devicePixelRatio;
  return (
    <canvas
      ref={drawn}
      className="minimap"
      width={WIDTH * dense}
      height={HEIGHT * dense}
      role="img"
      aria-label={say("canvas.minimap")}
      onPointerDown={go}
      onPointerMove={go}
    />
  );
}

function boundsOf(items: readonly Item[]): Box {
  const boxes = items.map(boxOf);
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

/** The blocks of the map, kept until something moves. */
function picture(
  sheet: HTMLCanvasElement | null,
  items: readonly Item[],
  { left, top, scale }: Frame,
): HTMLCanvasElement | null {
  if (sheet === null) return null;
  const kept = document.createElement("canvas");
  kept.width = sheet.width;
  kept.height = sheet.height;
  const pen = kept.getContext("2d");
  if (pen === null) return null;
  const style = getComputedStyle(sheet);
  const dense = window.devicePixelRatio;
  pen.setTransform(dense, 0, 0, dense, left * dense, top * dense);
  for (const item of items) {
    const { x, y, width, height } = boxOf(item);
    pen.globalAlpha = item.type === "frame" ? 0.2 : 0.75;
    pen.fillStyle = item.selected === true ? style.getPropertyValue("outline-color") : style.color;
    pen.fillRect(x * scale, y * scale, Math.max(1, width * scale), Math.max(1, height * scale));
  }
  return kept;
}
