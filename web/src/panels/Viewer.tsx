import { useEffect, useRef, useState } from "react";

import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { say } from "../words";
import { Tool } from "../widgets/Tool";
import { Details } from "./Details";
import { UseAsInput } from "./UseAsInput";
import { pictureUrls } from "./gallery";
import { FITTING, transformOf, useZoom, zoomed } from "../widgets/zooming";
import "./stage.css";

/** A picture, large: zoomed by wheel, pinch or key, with how it was made beside it. */
export function Viewer({ url }: { readonly url: string }) {
  const area = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const { zoom, setZoom, handlers } = useZoom(area);
  const [isGone, setIsGone] = useState(false);
  const step = useStep(url);
  const star = useStar(url);
  const close = useEditor((state) => state.show);
  useEffect(() => area.current?.focus(), []);

  const actual = () => {
    const { naturalWidth = 1, clientWidth = 1 } = image.current ?? {};
    setZoom({ factor: naturalWidth / clientWidth, x: 0, y: 0 });
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    "+": () => setZoom((old) => zoomed(old, 1.25)),
    "=": () => setZoom((old) => zoomed(old, 1.25)),
    "-": () => setZoom((old) => zoomed(old, 0.8)),
    "0": () => setZoom(FITTING),
    "1": actual,
    s: star.toggle,
  };
  return (
    <section className="viewer" aria-label={say("viewer.label")}>
      <div className="stage-bar">
        <Tool icon="chevron-left" label={say("viewer.previous")} onAct={() => step(-1)} />
        <Tool icon="chevron-right" label={say("viewer.next")} onAct={() => step(1)} />
        <span className="stage-gap" />
        <Tool
          icon="minus"
          label={say("viewer.zoomOut")}
          onAct={() => setZoom((old) => zoomed(old, 0.8))}
        />
        <button type="button" className="button bare" onClick={actual} title={say("viewer.actual")}>
          {Math.round(zoom.factor * 100)} %
        </button>
        <Tool
          icon="plus"
          label={say("viewer.zoomIn")}
          onAct={() => setZoom((old) => zoomed(old, 1.25))}
        />
        <Tool icon="fit" label={say("viewer.fit")} onAct={() => setZoom(FITTING)} />
        <span className="stage-gap" />
        <UseAsInput url={url} />
        <Tool
          icon="star"
          label={say(star.isOn ? "gallery.unstar" : "gallery.star")}
          pressed={star.isOn}
          onAct={star.toggle}
        />
        <a
          className="icon-button"
          href={url}
          download
          aria-label={say("gallery.download")}
          title={say("gallery.download")}
        >
          <Icon name="download" small />
        </a>
        <Tool icon="close" label={say("viewer.close")} onAct={() => close(null)} />
      </div>
      <div
        ref={area}
        className="viewer-area"
        tabIndex={0}
        aria-label={say("viewer.label")}
        aria-description={say("viewer.keys")}
        onKeyDown={(event) => {
          const act = event.ctrlKey || event.metaKey ? undefined : keys[event.key];
          if (act === undefined) return;
          event.preventDefault();
          act();
        }}
        onDoubleClick={() => (zoom.factor === 1 ? actual() : setZoom(FITTING))}
        {...handlers}
      >
        {isGone ? (
          <p className="notice warning">{say("viewer.gone")}</p>
        ) : (
          <img
            ref={image}
            src={url}
            alt={decodeURIComponent(url.split("/").at(-1) ?? "")}
            draggable={false}
            style={{
              transform: transformOf(zoom),
              imageRendering: zoom.factor > 3 ? "pixelated" : "auto",
            }}
            onError={() => setIsGone(true)}
          />
        )}
      </div>
      <Details url={url} />
    </section>
  );
}

function useStep(url: string) {
  const show = useEditor((state) => state.show);
  return (by: -1 | 1) => {
    const all = pictureUrls(useEditor.getState());
    const next = all[all.indexOf(url) + by];
    if (next !== undefined) show({ kind: "picture", url: next });
  };
}

function useStar(url: string) {
  const known = useEditor(
    (state) => state.gallery.find((file) => file.url === url)?.starred ?? state.stars[url],
  );
  const isOn = known === true;
  const star = useEditor((state) => state.starPicture);
  const read = useEditor((state) => state.readStar);
  const isKnown = known !== undefined;
  useEffect(() => {
    if (!isKnown) void read(url);
  }, [isKnown, read, url]);
  return { isOn, toggle: () => void star(url, !isOn) };
}
