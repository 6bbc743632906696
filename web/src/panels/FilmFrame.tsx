import { useEffect, useMemo, type DragEvent } from "react";

import { thumbnailUrl } from "../api/client";
import type { Job } from "../api/shapes";
import { Icon, type IconName } from "../look/Icon";
import { picturesOf } from "../state/gallery";
import { FINAL } from "../state/hearing";
import { useEditor } from "../state/store";
import { say } from "../words";
import { differenceOf } from "./difference";
import { compareWithBefore, lookAt } from "./looking";
import { clock, percent, seconds } from "./measures";
import { Thumbnail } from "./Thumbnail";

const DRAGGED = "application/x-darkroom-job";

interface Props {
  readonly job: Job;
  /** The job before it, from which its caption tells what is new. */
  readonly before: string | undefined;
  /** Its place in the queue from 1; 0 if it does not wait. */
  readonly position: number;
  readonly isCurrent: boolean;
  readonly onChoose: () => void;
}

/** A run: its picture, what is new in it, and when it was. */
export function FilmFrame({ job, before, position, isCurrent, onChoose }: Props) {
  const after = useEditor((state) => state.documents[job.id]);
  const earlier = useEditor((state) =>
    before === undefined ? undefined : state.documents[before],
  );
  const difference = useMemo(
    () => differenceOf(earlier, after, before === undefined),
    [earlier, after, before],
  );
  const readDocument = useEditor((state) => state.readDocument);
  const moveJob = useEditor((state) => state.moveJob);
  useEffect(() => {
    void readDocument(job.id).catch(useEditor.getState().report);
  }, [readDocument, job.id]);
  const state = say(`film.state.${job.state}`, { position });
  const label = say("film.frame", {
    name: job.name,
    state,
    difference: job.error?.detail ?? difference,
  });
  const drop = (event: DragEvent) => {
    const moved = event.dataTransfer.getData(DRAGGED);
    if (moved === "" || moved === job.id) return;
    event.preventDefault();
    void moveJob(moved, position > 0 ? { before: job.id } : { to: "front" });
  };
  return (
    <li
      className={`film-frame ${job.state}`}
      draggable={position > 0}
      onDragStart={(event) => event.dataTransfer.setData(DRAGGED, job.id)}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
      }}
      onDrop={drop}
    >
      <button
        type="button"
        className="film-picture"
        data-job-id={job.id}
        data-job-state={job.state}
        aria-label={label}
        title={job.error?.detail}
        tabIndex={isCurrent ? 0 : -1}
        onFocus={onChoose}
        onClick={() => lookAt(job)}
      >
        <Shown job={job} position={position} />
      </button>
      <p className="film-difference" title={difference}>
        {job.error?.detail ?? (difference || job.name)}
      </p>
      <p className="film-time">
        {FINAL.has(job.state)
          ? [
              clock(job.finished ?? job.created),
              ...(job.seconds === null ? [] : [seconds(job.seconds)]),
            ].join(" · ")
          : state}
      </p>
      <FrameActions job={job} />
    </li>
  );
}

function Shown({ job, position }: Pick<Props, "job" | "position">) {
  const pictures = picturesOf(job);
  const last = pictures.at(-1);
  const preview = useEditor((state) =>
    job.state === "running" && state.progress?.job === job.id ? state.livePicture : null,
  );
  const done = useEditor((state) =>
    state.progress?.job === job.id ? percent(state.progress.fraction) : null,
  );
  const source = last === undefined ? preview : thumbnailUrl(last.file.url, 192);
  return (
    <>
      {source === null ? <Icon name={icons[job.state]} /> : <Thumbnail source={source} />}
      {pictures.length > 1 && <span className="film-badge">{pictures.length}</span>}
      {position > 0 && <span className="film-badge">{position}</span>}
      {done !== null && (
        <span className="film-track">
          <span style={{ width: `${done}%` }} />
        </span>
      )}
    </>
  );
}

const icons: Readonly<Record<Job["state"], IconName>> = {
  queued: "queue",
  running: "play",
  succeeded: "check",
  failed: "error",
  cancelled: "stop",
};

function FrameActions({ job }: { readonly job: Job }) {
  const { openJob, retryJob, removeJob } = useEditor.getState();
  const isOver = FINAL.has(job.state);
  const remove = isOver ? "film.remove" : job.state === "queued" ? "film.cancel" : "film.stopThis";
  return (
    <div className="film-actions">
      <Action icon="workflows" label={say("film.open")} onAct={() => void openJob(job.id)} />
      {isOver && (
        <Action icon="refresh" label={say("film.retry")} onAct={() => void retryJob(job.id)} />
      )}
      {picturesOf(job).length > 0 && (
        <Action icon="compare" label={say("film.compare")} onAct={() => compareWithBefore(job)} />
      )}
      <Action
        icon={isOver ? "close" : "stop"}
        label={say(remove)}
        onAct={() => void removeJob(job.id)}
      />
    </div>
  );
}

interface ActionProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onAct: () => void;
}

function Action({ icon, label, onAct }: ActionProps) {
  return (
    <button type="button" tabIndex={-1} aria-label={label} title={label} onClick={onAct}>
      <Icon name={icon} small />
    </button>
  );
}
