import { useCallback, useEffect, useRef, useState } from "react";

import { pictureUrl } from "../api/client";
import type { DraftFault } from "../state/drafts";
import type { PictureInput } from "../state/gallery";
import { useEditor } from "../state/store";
import type { EditorState } from "../state/store";
import { activeTab } from "../state/tabs";
import { say } from "../words";
import { Easel, type Settings } from "./easel";
import { drawTint, maskName, pngOf } from "./maskfile";
import { PaintTools } from "./PaintTools";
import type { Mask } from "./raster";
import { putMask } from "./target";
import { Layer } from "./unfinished";
import { usePen } from "./usePen";

interface Props {
  readonly place: PictureInput;
  readonly picture: string;
  readonly mask: Mask;
  readonly layer: string;
  readonly isUnfinished: boolean;
}

/** The picture with its mask over it, and the tools to paint with. */
export function PaintArea({ place, picture, mask, layer: layerName, isUnfinished }: Props) {
  const area = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const ring = useRef<HTMLSpanElement>(null);
  const tint = useRef<HTMLCanvasElement>(null);
  const line = useRef<SVGPolylineElement>(null);
  const [steps, setSteps] = useState(0);
  const strokes = useRef(0);
  const [easel] = useState(() => new Easel(mask));
  const [layer] = useState(() => new Layer(layerName));
  const [settings, setSettings] = useState<Settings>(easel.settings);
  const isChanged = isUnfinished || steps > 0;
  const save = useSave({ place, picture, easel, layer, isChanged, strokes });
  const change = useCallback((part: Partial<Settings>) => setSettings(easel.choose(part)), [easel]);
  const pen = usePen({ easel, area, sheet, ring, change, done: save.done });
  useEffect(() => {
    easel.attach({
      draw: (box) => {
        if (tint.current !== null) drawTint(tint.current, mask, box);
      },
      outline: (points) =>
        line.current?.setAttribute("points", points.map(({ x, y }) => `${x},${y}`).join(" ")),
      stepped: () => {
        strokes.current += 1;
        setSteps((count) => count + 1);
        void layer.keep(mask).then(warn);
      },
    });
    area.current?.focus();
    if (isUnfinished) useEditor.getState().announce(say("paint.unfinished"));
  }, [easel, mask, layer, isUnfinished]);
  return (
    <section className="paint" aria-label={say("paint.label")} onKeyDown={pen.onKeyDown}>
      <PaintTools
        easel={easel}
        settings={settings}
        onChange={change}
        zoom={pen.zoom}
        onFit={pen.fit}
        save={save}
      />
      <div
        ref={area}
        className={`paint-area ${settings.tool}`}
        tabIndex={0}
        role="application"
        aria-label={say("paint.canvas", { picture })}
        aria-description={say("paint.keys")}
        {...pen.handlers}
      >
        <div
          ref={sheet}
          className="paint-sheet"
          style={{ aspectRatio: `${mask.width} / ${mask.height}`, transform: pen.transform }}
        >
          <img src={pictureUrl(picture)} alt="" draggable={false} />
          <canvas ref={tint} width={mask.width} height={mask.height} />
          <svg viewBox={`0 0 ${mask.width} ${mask.height}`} aria-hidden="true">
            <polyline ref={line} />
          </svg>
        </div>
        <span ref={ring} className="paint-ring" aria-hidden="true" />
      </div>
    </section>
  );
}

export interface Saving {
  readonly isSaving: boolean;
  /** Save if anything was painted, and close. */
  readonly done: () => void;
  readonly discard: () => void;
}

/** Say that strokes are not kept; what is painted can still be saved. */
function warn(fault: DraftFault | null): void {
  if (fault !== null) useEditor.getState().notify("warning", say(`drafts.${fault}`));
}

interface Painted {
  readonly place: PictureInput;
  readonly picture: string;
  readonly easel: Easel;
  readonly layer: Layer;
  readonly isChanged: boolean;
  /** Counts what was painted. */
  readonly strokes: { readonly current: number };
}

function useSave({ place, picture, easel, layer, isChanged, strokes }: Painted): Saving {
  const [isSaving, setIsSaving] = useState(false);
  const done = useCallback(async () => {
    const state = useEditor.getState();
    const tab = activeTab(state).id;
    if (!isChanged) {
      state.show(null);
      return;
    }
    setIsSaving(true);
    try {
      const name = await sent(state, { picture, easel, strokes });
      const now = useEditor.getState();
      const workflow = now.tabs.find(({ id }) => id === tab)?.workflow;
      const command = workflow && putMask(workflow, place, name, now.catalogue);
      if (command == null) {
        // The strokes stay where they are kept: nothing else has them.
        now.notify("warning", say(workflow === undefined ? "paint.noTab" : "paint.noType"));
        return;
      }
      now.performIn(tab, command);
      now.announce(say("paint.saved", { name }));
      await layer.drop();
      closeStage(place);
    } catch (error) {
      // What was painted stays on the easel until it could be saved.
      state.report(error);
    } finally {
      setIsSaving(false);
    }
  }, [place, picture, easel, layer, isChanged, strokes]);
  const discard = async () => {
    await layer.drop();
    closeStage(place);
  };
  return { isSaving, done: () => void done(), discard: () => void discard() };
}

/** Send the mask; again if something was painted meanwhile. The name of the last one. */
async function sent(
  state: EditorState,
  { picture, easel, strokes }: Pick<Painted, "picture" | "easel" | "strokes">,
): Promise<string> {
  for (;;) {
    const before = strokes.current;
    const name = await state.sendMask(await pngOf(easel.mask), maskName(picture));
    if (strokes.current === before) return name;
  }
}

/** Go back to the graph, unless something else is looked at by now. */
function closeStage(place: PictureInput): void {
  const { stage, show } = useEditor.getState();
  if (stage === place) show(null);
}
