import { useEffect, useState, type KeyboardEvent, type PointerEvent } from "react";

import { pictureUrl } from "../api/client";
import { typeNamed } from "../graph/catalogue";
import { together } from "../graph/commands/command";
import { setInput } from "../graph/commands/inputs";
import { nodeAt } from "../graph/graphs";
import { numberOf } from "../graph/json";
import { at } from "../graph/tables";
import { Tool } from "../panels/Viewer";
import type { PictureInput } from "../state/gallery";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { padsOf, rectOfPads, sideMoved, within, type Rect, type Side } from "./frames";
import { loadPicture } from "./maskfile";
import { frameFields, pictureBeneath } from "./target";
import "./paint.css";

type Place = Omit<PictureInput, "input">;
const sides: readonly Side[] = ["left", "top", "right", "bottom"];

/** Draws a frame around a picture, or a box on it, into the fields of a node. */
export function FrameEditor({ place }: { readonly place: Place }) {
  const show = useEditor((state) => state.show);
  const frame = useFrame(place);
  const picture = useEditor((state) =>
    pictureBeneath(activeWorkflow(state), place.path, place.node, state.catalogue),
  );
  const size = useSize(picture);
  if (frame === null) return null;
  return (
    <section className="paint" aria-label={say(`frame.${frame.kind}`)}>
      <div className="stage-bar">
        <h2>{say(`frame.${frame.kind}`)}</h2>
        <span className="stage-gap" />
        <Tool icon="close" label={say("viewer.close")} onAct={() => show(null)} />
      </div>
      <div className="frame-area">
        <Sheet
          picture={picture}
          size={size}
          rect={frame.rect(size)}
          kind={frame.kind}
          onChange={(rect) => frame.write(rect, size)}
        />
      </div>
    </section>
  );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function useSize(picture: string | null): Size {
  const [size, setSize] = useState<Size>({ width: 512, height: 512 });
  useEffect(() => {
    if (picture === null) return;
    void loadPicture(pictureUrl(picture)).then(
      ({ naturalWidth, naturalHeight }) => setSize({ width: naturalWidth, height: naturalHeight }),
      () => undefined, // the frame can be drawn without what is in it
    );
  }, [picture]);
  return size;
}

/** The fields of the node as a rectangle, and back. One drag is one step of undo. */
function useFrame({ path, node: id }: Place) {
  const catalogue = useEditor((state) => state.catalogue);
  const node = useEditor((state) => nodeAt(activeWorkflow(state), path, id));
  const perform = useEditor((state) => state.perform);
  const type = node && typeNamed(catalogue, node.type);
  const fields = frameFields(type);
  if (node === undefined || fields === null) return null;
  const value = (name: string): number =>
    numberOf(at(node.inputs, name)) ??
    numberOf(type?.inputs.find((each) => each.name === name)?.default) ??
    0;
  const write = (values: readonly (readonly [string, number])[]) => {
    perform(
      together("draw_frame", ...values.map(([name, each]) => setInput(path, id, name, each))),
      `frame ${id}`,
    );
  };
  if (fields.kind === "pad") {
    const pads = (of: (name: string) => number) => ({
      left: of(fields.left),
      top: of(fields.top),
      right: of(fields.right),
      bottom: of(fields.bottom),
    });
    return {
      kind: fields.kind,
      rect: (size: Size) => rectOfPads(pads(value), size.width, size.height),
      write: (rect: Rect, size: Size) => {
        const now = padsOf(rect, size.width, size.height);
        write(sides.map((side) => [fields[side], now[side]]));
      },
    };
  }
  return {
    kind: fields.kind,
    rect: () => ({
      x: value(fields.x),
      y: value(fields.y),
      width: value(fields.width),
      height: value(fields.height),
    }),
    write: (rect: Rect, size: Size) => {
      const now = within(rect, size.width, size.height);
      write([
        [fields.x, now.x],
        [fields.y, now.y],
        [fields.width, now.width],
        [fields.height, now.height],
      ]);
    },
  };
}

interface Drag {
  readonly x: number;
  readonly y: number;
  readonly rect: Rect;
  readonly scale: number;
}

interface SheetProps {
  readonly picture: string | null;
  readonly size: Size;
  readonly rect: Rect;
  readonly kind: "pad" | "box";
  readonly onChange: (rect: Rect) => void;
}

/** The picture and the frame to scale: both fit, whichever is larger. */
function Sheet({ picture, size, rect, kind, onChange }: SheetProps) {
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
  const begin = (event: PointerEvent<HTMLElement>) => {
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    const sheet = event.currentTarget.closest(".frame-sheet")?.getBoundingClientRect();
    const scale = wide.width / (sheet?.width ?? wide.width);
    setDrag({ x: event.clientX, y: event.clientY, rect, scale });
    setRoom(wide);
  };
  const pull = (event: PointerEvent<HTMLElement>, side: Side | null) => {
    if (drag === null) return;
    const from = drag;
    const dx = (event.clientX - from.x) * from.scale;
    const dy = (event.clientY - from.y) * from.scale;
    onChange(
      side === null
        ? moved(from.rect, dx, dy)
        : sideMoved(from.rect, side, side === "left" || side === "right" ? dx : dy),
    );
  };
  const end = () => {
    setDrag(null);
    setRoom(null);
  };
  const hands = (side: Side | null) => ({
    onPointerDown: begin,
    onPointerMove: (event: PointerEvent<HTMLElement>) => pull(event, side),
    onPointerUp: end,
    onPointerCancel: end,
    onKeyDown: (event: KeyboardEvent) => {
      const by = keyed(event);
      if (by === null) return;
      event.preventDefault();
      event.stopPropagation();
      if (side === null) onChange(moved(rect, by.x, by.y));
      else onChange(sideMoved(rect, side, side === "left" || side === "right" ? by.x : by.y));
    },
  });
  const canMove = kind === "box";
  return (
    <div
      className="frame-sheet"
      style={{ aspectRatio: `${wide.width} / ${wide.height}`, height: "90%", maxWidth: "92%" }}
    >
      <div style={part({ x: 0, y: 0, ...size })}>
        {picture !== null && <img src={pictureUrl(picture)} alt={picture} draggable={false} />}
      </div>
      <div
        className={`frame-edge ${kind}`}
        style={part(rect)}
        {...(canMove && {
          tabIndex: 0,
          role: "application",
          "aria-label": say("frame.move", { ...rect }),
          "aria-description": say("frame.keys"),
          ...hands(null),
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
      </div>
    </div>
  );
}

const handlePlace = {
  left: { left: 0, top: "50%", cursor: "ew-resize" },
  right: { left: "100%", top: "50%", cursor: "ew-resize" },
  top: { left: "50%", top: 0, cursor: "ns-resize" },
  bottom: { left: "50%", top: "100%", cursor: "ns-resize" },
} as const;

const moved = (rect: Rect, dx: number, dy: number): Rect => ({
  ...rect,
  x: rect.x + dx,
  y: rect.y + dy,
});

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
