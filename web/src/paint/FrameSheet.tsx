import { useState, type KeyboardEvent, type PointerEvent } from "react";

import { pictureUrl } from "../api/client";
import { say } from "../words";
import { padsOf, pulled, type Corner, type Grip, type Rect, type Side } from "./frames";

const sides: readonly Side[] = ["left", "top", "right", "bottom"];
const corners: readonly Corner[] = ["top-left", "top-right", "bottom-left", "bottom-right"];

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Drag {
  readonly x: number;
  readonly y: number;
  readonly rect: Rect;
  readonly grip: Grip;
  /** Pixels of the picture by those of the page. */
  readonly scale: number;
}

/** So far a hand moves that only touches, in pixels of the page. */
const TOUCH = 4;

interface Props {
  readonly picture: string | null;
  readonly size: Size;
  readonly rect: Rect;
  readonly kind: "pad" | "box";
  readonly onChange: (rect: Rect) => void;
}

/** The picture and the frame to scale: both fit, whichever is larger. A box is drawn anew beside the old one. */
export function FrameSheet({ picture, size, rect, kind, onChange }: Props) {
  const [drag, setDrag] = useState<Drag | null>(null);
  // The room stays while one drags, so that the frame does not flee from the hand.
  const [room, setRoom] = useState<Rect | null>(null);
  const wide = room ?? around(rect, size);
  const part = (box: Rect) => ({
    left: `${((box.x - wide.x) / wide.width) * 100}%`,
    top: `${((box.y - wide.y) / wide.height) * 100}%`,
    width: `${(box.width / wide.width) * 100}%`,
    height: `${(box.height / wide.height) * 100}%`,
  });
  const begin = (event: PointerEvent<HTMLElement>, grip: Grip) => {
    const sheet = event.currentTarget.closest(".frame-sheet")?.getBoundingClientRect();
    if (sheet === undefined) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    const { clientX: x, clientY: y } = event;
    const scale = wide.width / sheet.width;
    const here = { x: wide.x + (x - sheet.x) * scale, y: wide.y + (y - sheet.y) * scale };
    setDrag({ x, y, scale, grip, rect: grip === "new" ? { ...here, width: 0, height: 0 } : rect });
    setRoom(wide);
  };
  const pull = (event: PointerEvent<HTMLElement>) => {
    if (drag === null) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    // A hand that only touches draws nothing.
    if (drag.grip === "new" && Math.min(Math.abs(dx), Math.abs(dy)) < TOUCH) return;
    onChange(pulled(drag.rect, drag.grip, dx * drag.scale, dy * drag.scale));
  };
  const end = () => {
    setDrag(null);
    setRoom(null);
  };
  const dragging = { onPointerMove: pull, onPointerUp: end, onPointerCancel: end };
  const hands = (grip: Grip) => ({
    ...dragging,
    onPointerDown: (event: PointerEvent<HTMLElement>) =>
      begin(event, grip === "whole" && event.shiftKey ? "new" : grip),
    onKeyDown: (event: KeyboardEvent) => {
      const by = keyed(event);
      if (by === null) return;
      event.preventDefault();
      event.stopPropagation();
      onChange(pulled(rect, grip, by.x, by.y));
    },
  });
  const isBox = kind === "box";
  return (
    <div
      className={isBox ? "frame-sheet drawn" : "frame-sheet"}
      style={{ aspectRatio: `${wide.width} / ${wide.height}`, height: "90%", maxWidth: "92%" }}
      {...(isBox && {
        ...dragging,
        onPointerDown: (event: PointerEvent<HTMLElement>) => begin(event, "new"),
      })}
    >
      <div style={part({ x: 0, y: 0, ...size })}>
        {picture !== null && <img src={pictureUrl(picture)} alt={picture} draggable={false} />}
      </div>
      <div
        className={`frame-edge ${kind}`}
        style={part(rect)}
        {...(isBox && {
          tabIndex: 0,
          role: "application",
          "aria-label": say("frame.move", { ...rect }),
          "aria-description": say("frame.keys"),
          ...hands("whole"),
        })}
      >
        {sides.map((side) => (
          <button
            key={side}
            type="button"
            className="frame-handle"
            style={handlePlace[side]}
            aria-label={say("frame.handle", {
              side: say(`frame.${side}`),
              value: sideValue(rect, size, side, kind),
            })}
            aria-description={say("frame.keys")}
            {...hands(side)}
          />
        ))}
        {corners.map((corner) => (
          <button
            key={corner}
            type="button"
            className="frame-handle corner"
            style={handlePlace[corner]}
            aria-label={say(`frame.${corner}`, {
              width: Math.round(rect.width),
              height: Math.round(rect.height),
            })}
            aria-description={say("frame.keys")}
            {...hands(corner)}
          />
        ))}
      </div>
    </div>
  );
}

const handlePlace = {
  left: { left: 0, top: "50%", cursor: "ew-resize" },
  right: { left: "100%", top: "50%", cursor: "ew-resize" },
  top: { left: "50%", top: 0, cursor: "ns-resize" },
  bottom: { left: "50%", top: "100%", cursor: "ns-resize" },
  "top-left": { left: 0, top: 0, cursor: "nwse-resize" },
  "top-right": { left: "100%", top: 0, cursor: "nesw-resize" },
  "bottom-left": { left: 0, top: "100%", cursor: "nesw-resize" },
  "bottom-right": { left: "100%", top: "100%", cursor: "nwse-resize" },
} as const;

function keyed(event: KeyboardEvent): { readonly x: number; readonly y: number } | null {
  const by = event.shiftKey ? 64 : 8;
  const steps: Readonly<Record<string, { readonly x: number; readonly y: number }>> = {
    ArrowLeft: { x: -by, y: 0 },
    ArrowRight: { x: by, y: 0 },
    ArrowUp: { x: 0, y: -by },
    ArrowDown: { x: 0, y: by },
  };
  return steps[event.key] ?? null;
}

function sideValue(rect: Rect, size: Size, side: Side, kind: "pad" | "box"): number {
  if (kind === "pad") return padsOf(rect, size.width, size.height)[side];
  return { left: rect.x, top: rect.y, right: rect.x + rect.width, bottom: rect.y + rect.height }[
    side
  ];
}

/** The least rectangle that holds the picture and the frame, with some room around. */
function around(rect: Rect, size: Size): Rect {
  const left = Math.min(0, rect.x);
  const top = Math.min(0, rect.y);
  const width = Math.max(size.width, rect.x + rect.width) - left;
  const height = Math.max(size.height, rect.y + rect.height) - top;
  const room = Math.max(width, height) * 0.12;
  return { x: left - room, y: top - room, width: width + 2 * room, height: height + 2 * room };
}
