/** The keys of the film strip. */

import type { KeyboardEvent, RefObject } from "react";

import type { Job } from "../api/shapes";
import { useEditor } from "../state/store";
import { say } from "../words";
import { compareWithBefore, lookAt } from "./looking";

interface Strip {
  readonly frames: readonly Job[];
  readonly queue: readonly string[];
  readonly chosen: string | null;
  readonly choose: (job: string) => void;
  readonly list: RefObject<HTMLElement | null>;
}

export function useFilmKeys({ frames, queue, chosen, choose, list }: Strip) {
  const go = (by: number) => {
    const at = frames.findIndex((job) => job.id === chosen);
    const next =
      frames[Math.min(frames.length - 1, Math.max(0, at < 0 ? frames.length - 1 : at + by))];
    if (next === undefined) return;
    choose(next.id);
    list.current?.querySelector<HTMLElement>(`[data-job-id="${next.id}"]`)?.focus();
  };
  return (event: KeyboardEvent) => {
    const id = event.target instanceof HTMLElement ? event.target.dataset["jobId"] : undefined;
    const job = frames.find((each) => each.id === id);
    if (job === undefined || event.ctrlKey || event.metaKey) return;
    const act = acts(job, queue)[`${event.altKey ? "Alt+" : ""}${event.key}`];
    const by = event.altKey
      ? 0
      : event.key === "ArrowLeft"
        ? -1
        : event.key === "ArrowRight"
          ? 1
          : 0;
    if (act === undefined && by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    if (by !== 0) go(by);
    act?.();
  };
}

function acts(job: Job, queue: readonly string[]): Readonly<Record<string, () => void>> {
  const state = useEditor.getState();
  const move = (by: -1 | 1) => () => moveBy(job.id, queue, by);
  return {
    Enter: () => lookAt(job),
    " ": () => lookAt(job),
    o: () => void state.openJob(job.id),
    r: () => void state.retryJob(job.id),
    c: () => compareWithBefore(job),
    Delete: () => void state.removeJob(job.id),
    Backspace: () => void state.removeJob(job.id),
    "Alt+ArrowLeft": move(-1),
    "Alt+ArrowRight": move(1),
  };
}

/** Give a queued job the place before or after its neighbour. */
export function moveBy(job: string, queue: readonly string[], by: -1 | 1): void {
  const at = queue.indexOf(job);
  const to = at + by;
  if (at < 0 || to < 0 || to >= queue.length) return;
  const state = useEditor.getState();
  const before = by < 0 ? queue[to] : queue[to + 1];
  void state.moveJob(job, before === undefined ? { to: "back" } : { before });
  state.announce(say("film.moved", { position: to + 1 }));
}
