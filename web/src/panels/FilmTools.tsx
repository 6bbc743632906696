import type { Job } from "../api/shapes";
import { FINAL } from "../state/hearing";
import { picturesOf } from "../state/gallery";
import { useEditor } from "../state/store";
import { Radios } from "../widgets/Radios";
import { say } from "../words";

export type Filter = "all" | "tab" | "pictures" | "failed" | "queue";

const filters: readonly Filter[] = ["all", "tab", "pictures", "failed", "queue"];

/** Whether a filter lets a job through. */
export function shows(filter: Filter, job: Job, own: readonly string[]): boolean {
  switch (filter) {
    case "all":
      return true;
    case "tab":
      return own.includes(job.id);
    case "pictures":
      return picturesOf(job).length > 0;
    case "failed":
      return job.state === "failed";
    case "queue":
      return !FINAL.has(job.state);
  }
}

interface Props {
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** What the film strip shows, and how it is cleared. */
export function FilmTools({ filter, onFilter }: Props) {
  const hasQueue = useEditor((state) => state.queue.length > 0 || state.waiting.length > 0);
  const hasPast = useEditor((state) =>
    Object.values(state.jobs).some((job) => FINAL.has(job.state)),
  );
  const clearQueue = useEditor((state) => state.clearQueue);
  const askClearing = useEditor((state) => state.askClearing);
  return (
    <div className="film-tools">
      <Radios
        className="film-filters"
        label={say("film.filter")}
        choices={filters}
        chosen={filter}
        onChoose={onFilter}
      >
        {(each) => say(`film.${each}`)}
      </Radios>
      <span className="film-gap" />
      {hasQueue && (
        <button type="button" className="button bare" onClick={() => void clearQueue()}>
          {say("film.clearQueue")}
        </button>
      )}
      {hasPast && (
        <button type="button" className="button bare" onClick={() => void askClearing()}>
          {say("film.clearHistory")}
        </button>
      )}
    </div>
  );
}
