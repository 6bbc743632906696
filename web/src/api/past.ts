/** The events of one job from its beginning: for a page that came while it ran. */

import { path } from "./request";
import type { ServerEvent } from "./socket";

const TYPES = [
  "job.started",
  "job.requeued",
  "job.succeeded",
  "job.failed",
  "job.cancelled",
  "job.deleted",
  "node.started",
  "node.progressed",
  "node.finished",
  "node.failed",
  "warned",
];
const LAST = new Set(["job.succeeded", "job.failed", "job.cancelled", "job.deleted"]);

/** Hear a job's events until it has ended; the answer stops that. */
export function followJob(job: string, heard: (event: ServerEvent) => void): () => void {
  const source = new EventSource(path("jobs", job, "events"));
  for (const type of TYPES) {
    source.addEventListener(type, (message: MessageEvent<string>) => {
      const event = JSON.parse(message.data) as ServerEvent;
      if (LAST.has(type)) source.close();
      heard(event);
    });
  }
  return () => source.close();
}
