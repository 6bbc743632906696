import { useEffect, useMemo, useRef, useState } from "react";

import type { Job } from "../api/shapes";
import { film } from "../state/history";
import { useEditor } from "../state/store";
import { say } from "../words";
import { befores } from "./difference";
import { FilmFrame } from "./FilmFrame";
import { FilmTools, shows, type Filter } from "./FilmTools";
import { useFilmKeys } from "./filmKeys";
import "./film.css";

/** Time from left to right: what was made, what runs, what will. New runs come in beside Generate. */
export function FilmStrip() {
  const [filter, setFilter] = useState<Filter>("all");
  const jobs = useEditor((state) => state.jobs);
  const queue = useEditor((state) => state.queue);
  const own = useEditor((state) => state.tabJobs[state.activeTab]);
  const frames = useMemo(
    () => film({ jobs, queue }).filter((job) => shows(filter, job, own ?? [])),
    [jobs, queue, filter, own],
  );
  return (
    <div className="film">
      <FilmTools filter={filter} onFilter={setFilter} />
      {frames.length === 0 ? (
        <p className="film-empty">{say("film.empty")}</p>
      ) : (
        <Frames frames={frames} queue={queue} />
      )}
    </div>
  );
}

interface FramesProps {
  readonly frames: readonly Job[];
  readonly queue: readonly string[];
}

function Frames({ frames, queue }: FramesProps) {
  const list = useRef<HTMLOListElement>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const keys = useFilmKeys({ frames, queue, chosen, choose: setChosen, list });
  const older = useEditor((state) => state.olderJobs);
  const readOlder = useEditor((state) => state.readOlderJobs);
  const jobs = useEditor((state) => state.jobs);
  const before = useMemo(() => befores(jobs), [jobs]);
  const last = frames.at(-1)?.id;
  useEffect(() => {
    // What was asked for last is what one looks for, unless one is looking through the others.
    if (list.current?.contains(document.activeElement) === true) return;
    list.current?.scrollTo({ left: list.current.scrollWidth });
  }, [last]);
  const current = frames.some((job) => job.id === chosen) ? chosen : last;
  return (
    <ol
      ref={list}
      className="film-frames"
      aria-label={say("film.label")}
      aria-description={say("film.keys")}
      onKeyDown={keys}
      onWheel={(event) => {
        if (event.deltaX === 0) event.currentTarget.scrollLeft += event.deltaY;
      }}
    >
      {older !== null && (
        <li className="film-older">
          <button type="button" className="button bare" onClick={() => void readOlder()}>
            {say("film.older")}
          </button>
        </li>
      )}
      {frames.map((job) => (
        <FilmFrame
          key={job.id}
          job={job}
          before={before.get(job.id)}
          position={queue.indexOf(job.id) + 1}
          isCurrent={job.id === current}
          onChoose={() => setChosen(job.id)}
        />
      ))}
    </ol>
  );
}
