import { useEffect, useState } from "react";

import { pictureUrl } from "../api/client";
import type { PictureInput } from "../state/gallery";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { loadPicture, maskOf } from "./maskfile";
import { PaintArea } from "./PaintArea";
import { emptyMask, type Mask } from "./raster";
import { targetOf } from "./target";
import { layerId, unfinished } from "./unfinished";
import "./paint.css";

interface Ready {
  readonly mask: Mask;
  readonly picture: string;
  /** What names the layer while it is painted. */
  readonly layer: string;
  /** It was begun before, and never finished. */
  readonly isUnfinished: boolean;
}

/** Paints the mask of a picture of the document; what was painted before is there again, finished or not. */
export function Painter({ place }: { readonly place: PictureInput }) {
  const [ready, setReady] = useState<Ready | string | null>(null);
  useEffect(() => {
    let isGone = false;
    const state = useEditor.getState();
    const target = targetOf(activeWorkflow(state), place, state.catalogue);
    const layer = layerId(state, place);
    void open(target.picture ?? target.painted, target.painted, layer).then((opened) => {
      if (!isGone) setReady(opened);
    });
    return () => {
      isGone = true;
    };
  }, [place]);
  if (ready === null) return null;
  if (typeof ready === "string") return <Cannot why={ready} />;
  return <PaintArea place={place} {...ready} />;
}

/** The picture and its mask, or why there is nothing to paint on. */
async function open(
  picture: string | null,
  painted: string | null,
  layer: string,
): Promise<Ready | string> {
  if (picture === null) return say("paint.noPicture");
  try {
    const { naturalWidth: width, naturalHeight: height } = await loadPicture(pictureUrl(picture));
    const begun = await loaded(await unfinished(layer));
    const isUnfinished = begun !== null;
    // A mask whose file is gone is begun anew.
    const before = begun ?? (await loaded(painted === null ? null : pictureUrl(painted)));
    const mask = before === null ? emptyMask(width, height) : maskOf(before, width, height);
    return { picture, mask, layer, isUnfinished };
  } catch {
    return say("paint.unread", { picture });
  }
}

const loaded = (url: string | null): Promise<HTMLImageElement | null> =>
  url === null ? Promise.resolve(null) : loadPicture(url).catch(() => null);

function Cannot({ why }: { readonly why: string }) {
  const show = useEditor((state) => state.show);
  return (
    <div className="empty">
      <p className="notice warning">{why}</p>
      <button type="button" className="button" autoFocus onClick={() => show(null)}>
        {say("viewer.close")}
      </button>
    </div>
  );
}
