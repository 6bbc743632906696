/** What the server's events change, many at once, and its previews. */

import type { Preview, ServerEvent } from "../api/socket";
import { hear } from "./hearing";
import type { Knowledge } from "./knowing";
import { addressOf, EMPTY } from "./run";
import type { Surroundings } from "./running";
import { redrawn } from "./shown";
import type { EditorState, SetState } from "./store";

/** So many of a tab's jobs keep their previews. */
const SHOWN = 4;

export function listening(
  { previews, later }: Surroundings,
  set: SetState,
  get: () => EditorState,
  { know, tell, readQueue }: Knowledge,
) {
  let heard: ServerEvent[] = [];

  const apply = () => {
    const events = heard;
    heard = [];
    const before = get();
    know((known) => events.reduce(hear, known));
    for (const event of events) {
      if (event.type === "catalogue.changed") void get().loadCatalogue();
      // Only where pictures were looked at: else they are read once they are.
      if (event.type === "outputs.changed" && get().galleryNext !== undefined)
        void get().readGallery();
      // What is deleted is told once more, and has no document any more.
      if (event.job === null || event.type === "job.deleted" || !("job" in event.data)) continue;
      tell(event.data.job, before.jobs[event.job]);
      if (event.type === "job.moved" || event.type === "job.queued")
        void readQueue().catch(get().report);
    }
  };

  return {
    take: (event: ServerEvent) => {
      heard.push(event);
      if (heard.length === 1) later(apply);
    },
    look: ({ event, picture }: Preview) => {
      if (event.job === null || !("node" in event.data) || event.data.node === null) return;
      const { tabJobs, documents } = get();
      const shown = new Set(Object.values(tabJobs).flatMap((jobs) => jobs.slice(-SHOWN)));
      if (!shown.has(event.job)) return;
      previews.keep(shown);
      previews.put(event.job, addressOf(event.data.node, documents[event.job] ?? EMPTY), picture);
      set((state) => redrawn(state, previews));
    },
  };
}
