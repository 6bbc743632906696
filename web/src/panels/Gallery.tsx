import { useEffect, useRef, useState, type KeyboardEvent } from "react";

import { thumbnailUrl } from "../api/client";
import type { GalleryFile } from "../api/shapes";
import { Icon } from "../look/Icon";
import { PICTURE_KIND } from "../state/gallery";
import { useEditor } from "../state/store";
import { say } from "../words";
import { clock } from "./measures";
import { Sure } from "./Sure";
import { Thumbnail } from "./Thumbnail";
import "./gallery.css";

/** The pictures of all runs, the newest first: arrows go through them, stars keep them apart. */
export function Gallery() {
  const files = useEditor((state) => state.gallery);
  const next = useEditor((state) => state.galleryNext);
  const read = useEditor((state) => state.readGallery);
  const readMore = useEditor((state) => state.readMoreGallery);
  const wish = useEditor((state) => state.galleryWish);
  const made = useEditor((state) =>
    Object.values(state.jobs).reduce(
      (count, job) => count + (job.state === "succeeded" ? 1 : 0),
      0,
    ),
  );
  useEffect(() => {
    void read();
  }, [read, made]);
  return (
    <div className="gallery">
      <GalleryTools />
      {files.length === 0 ? (
        <p className="empty">
          {next === undefined
            ? ""
            : say(wish.starred || wish.text !== "" ? "gallery.none" : "gallery.empty")}
        </p>
      ) : (
        <Pictures files={files} />
      )}
      {typeof next === "string" && (
        <button type="button" className="button" onClick={() => void readMore()}>
          {say("gallery.more")}
        </button>
      )}
    </div>
  );
}

function GalleryTools() {
  const { text, starred } = useEditor((state) => state.galleryWish);
  const read = useEditor((state) => state.readGallery);
  return (
    <div className="gallery-tools">
      <input
        type="search"
        className="field-box"
        aria-label={say("gallery.search")}
        placeholder={say("gallery.search")}
        value={text}
        onChange={(event) => void read({ text: event.target.value })}
      />
      <button
        type="button"
        className="icon-button"
        aria-pressed={starred}
        aria-label={say("gallery.starred")}
        title={say("gallery.starred")}
        onClick={() => void read({ starred: !starred })}
      >
        <Icon name="star" small />
      </button>
    </div>
  );
}

function Pictures({ files }: { readonly files: readonly GalleryFile[] }) {
  const grid = useRef<HTMLUListElement>(null);
  const [current, setCurrent] = useState(0);
  const [first, setFirst] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<GalleryFile | null>(null);
  const { show, starPicture } = useEditor.getState();

  const look = (file: GalleryFile) => {
    if (first !== null && first !== file.url)
      show({ kind: "compare", left: first, right: file.url });
    else show({ kind: "picture", url: file.url });
    setFirst(null);
  };
  const go = (to: number) => {
    const at = Math.min(files.length - 1, Math.max(0, to));
    setCurrent(at);
    grid.current?.querySelectorAll<HTMLElement>(".gallery-picture")[at]?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const file = files[current];
    if (file === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = columnsOf(grid.current);
    const acts: Readonly<Record<string, () => void>> = {
      ArrowRight: () => go(current + 1),
      ArrowLeft: () => go(current - 1),
      ArrowDown: () => go(current + columns),
      ArrowUp: () => go(current - columns),
      Home: () => go(0),
      End: () => go(files.length - 1),
      s: () => void starPicture(file.url, !file.starred),
      c: () => setFirst(first === file.url ? null : file.url),
      Delete: () => setDoomed(file),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  return (
    <>
      {first !== null && <p className="notice">{say("gallery.compareWith")}</p>}
      {doomed !== null && <Doomed file={doomed} onDone={() => setDoomed(null)} />}
      <ul ref={grid} className="gallery-grid" onKeyDown={onKeyDown}>
        {files.map((file, index) => (
          <li key={file.url} className={file.url === first ? "chosen" : undefined}>
            <button
              type="button"
              className="gallery-picture"
              tabIndex={index === Math.min(current, files.length - 1) ? 0 : -1}
              aria-label={say("gallery.picture", { name: file.name, number: index + 1 })}
              title={`${file.name}, ${file.made === null ? "" : clock(file.made)}`}
              draggable
              onFocus={() => setCurrent(index)}
              onClick={() => look(file)}
              onDragStart={(event) => {
                event.dataTransfer.setData(PICTURE_KIND, file.url);
                event.dataTransfer.effectAllowed = "copy";
              }}
            >
              <Thumbnail source={thumbnailUrl(file.url, 256)} />
            </button>
            <PictureActions
              file={file}
              onCompare={() => setFirst(file.url)}
              onDelete={() => setDoomed(file)}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

function columnsOf(grid: HTMLElement | null): number {
  if (grid === null) return 1;
  return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
}

interface ActionsProps {
  readonly file: GalleryFile;
  readonly onCompare: () => void;
  readonly onDelete: () => void;
}

function PictureActions({ file, onCompare, onDelete }: ActionsProps) {
  const { starPicture, openJob } = useEditor.getState();
  const actions = [
    [
      "star",
      file.starred ? "gallery.unstar" : "gallery.star",
      () => void starPicture(file.url, !file.starred),
    ],
    ["workflows", "gallery.open", () => void openJob(file.job)],
    ["compare", "gallery.compare", onCompare],
    ["trash", "gallery.delete", onDelete],
  ] as const;
  return (
    <div className="gallery-actions">
      {actions.map(([icon, label, act]) => (
        <button
          key={icon}
          type="button"
          tabIndex={-1}
          className={icon === "star" && file.starred ? "on" : undefined}
          aria-label={say(label)}
          title={say(label)}
          onClick={act}
        >
          <Icon name={icon} small />
        </button>
      ))}
    </div>
  );
}

function Doomed({ file, onDone }: { readonly file: GalleryFile; readonly onDone: () => void }) {
  const { deletePicture, announce } = useEditor.getState();
  return (
    <Sure
      className="notice warning gallery-sure"
      label={say("gallery.delete")}
      question={say("gallery.sure", { name: file.path })}
      yes={say("gallery.delete")}
      no={say("gallery.keep")}
      onYes={() => {
        onDone();
        void deletePicture(file.url).then(
          (isDone) => isDone && announce(say("gallery.deleted", { name: file.path })),
        );
      }}
      onNo={onDone}
    />
  );
}
