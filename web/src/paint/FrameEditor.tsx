import { useEffect, useState } from "react";

import { pictureUrl } from "../api/client";
import { typeNamed } from "../graph/catalogue";
import { together } from "../graph/commands/command";
import { setInput } from "../graph/commands/inputs";
import { frameFields } from "../graph/framing";
import { nodeAt } from "../graph/graphs";
import { numberOf } from "../graph/json";
import { at } from "../graph/tables";
import { Tool } from "../widgets/Tool";
import type { PictureInput } from "../state/gallery";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { FrameSheet, type Size } from "./FrameSheet";
import { padsOf, rectOfPads, within, type Rect, type Side } from "./frames";
import { loadPicture } from "./maskfile";
import { pictureBeneath } from "./target";
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
        <FrameSheet
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
