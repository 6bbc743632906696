/** A server in memory and a store over it, for tests. */

import { create } from "zustand";

import { ApiError, UNREACHABLE } from "../../src/api/problems";
import type { Fault, GalleryFile, Job, Plan } from "../../src/api/shapes";
import type { Listeners, ServerEvent } from "../../src/api/socket";
import { printJson } from "../../src/graph/json";
import type { Graph, Workflow } from "../../src/graph/document";
import { nodeId, typeName } from "../../src/graph/ids";
import { gallerySliceIn } from "../../src/state/gallery";
import { historySliceIn } from "../../src/state/history";
import { planSliceIn } from "../../src/state/plan";
import { previewsKept } from "../../src/state/previews";
import { problemsSlice } from "../../src/state/problems";
import { runningSliceIn } from "../../src/state/running";
import type { Server } from "../../src/state/server";
import { useEditor, type EditorState } from "../../src/state/store";
import { canvasSlice } from "../../src/state/canvas";
import { catalogueSlice } from "../../src/state/catalogue";
import { editingSlice } from "../../src/state/editing";
import { selectionSlice } from "../../src/state/selection";
import { tabsSlice } from "../../src/state/tabs";

export const workflow = (nodes: Record<string, Record<string, never> | object>): Workflow => ({
  darkroom: 1,
  name: "Test",
  inputs: {},
  outputs: {},
  nodes: Object.fromEntries(
    Object.entries(nodes).map(([id, inputs]) => [
      nodeId(id),
      { type: typeName("Toy"), version: 1, inputs: inputs as Graph["inputs"] & object },
    ]),
  ),
});

export function aJob(id: string, part: Partial<Job> = {}): Job {
  return {
    id,
    number: Number(id.replace(/\D/g, "")) || 1,
    owner: "local",
    name: "Test",
    state: "queued",
    priority: 0,
    position: null,
    created: "2026-01-01T00:00:00.000Z",
    started: null,
    finished: null,
    seconds: null,
    attempt: 0,
    worker: null,
    progress: null,
    outputs: {},
    error: null,
    webhook: null,
    retry_of: null,
    links: { self: "", document: "", nodes: "", events: "", outputs: "" },
    ...part,
  };
}

export const aPicture = (path: string) => ({
  path,
  url: `/files/${path}`,
  media_type: "image/png",
  size: 1,
  digest: path,
});

type Told = Readonly<Record<string, unknown>>;

/** A server that holds jobs; the test says what happens to them. */
export class FakeServer {
  readonly jobs = new Map<string, Job>();
  readonly documents = new Map<string, Workflow>();
  readonly keys = new Map<string, string>();
  readonly asked: string[] = [];
  away = false;
  refusal: ApiError | null = null;
  plan: Plan = {
    nodes: {},
    seconds: 0,
    total: { nodes: 0, run: 0, unknown: 0, seconds: 0 },
    warnings: [],
  };
  planned = 0;
  gallery: GalleryFile[] = [];
  records: { node: string; type: string; state: string; seconds: number; bytes: number }[] = [];
  private events = 0;
  private listeners: Listeners | null = null;

  private reach(): void {
    if (this.away) throw new ApiError(0, UNREACHABLE, "away");
  }

  add(job: Job, document: Workflow): void {
    this.jobs.set(job.id, job);
    this.documents.set(job.id, document);
  }

  /** Tell an event of a job; of `job.…` ones with the job as it is then. */
  tell(type: ServerEvent["type"], job: string, data: Told | Partial<Job> = {}): ServerEvent {
    this.events += 1;
    let told: unknown = data;
    if (type.startsWith("job.")) {
      const changed = { ...(this.jobs.get(job) ?? aJob(job)), ...data };
      this.jobs.set(job, changed);
      told = { job: changed };
    }
    const event = { id: this.events, type, job, time: 0, data: told } as ServerEvent;
    if (!this.away) this.listeners?.onEvent(event);
    return event;
  }

  show(event: ServerEvent): void {
    this.listeners?.onPreview?.({ event, picture: new Blob() });
  }

  lose(): void {
    this.away = true;
    this.listeners?.onConnection?.("lost", 1);
  }

  comeBack(): void {
    this.away = false;
    this.listeners?.onConnection?.("open", 0);
  }

  refuse(problems: Fault[]): void {
    this.refusal = new ApiError(422, "invalid_workflow", "no", null, problems);
  }

  readonly server: Server = {
    submit: (submission, key) =>
      this.answer(() => {
        if (this.refusal !== null) throw this.refusal;
        const known = this.keys.get(key ?? "");
        const id = known ?? `job${this.jobs.size + 1}`;
        this.keys.set(key ?? "", id);
        if (known === undefined) this.add(aJob(id), submission.document as unknown as Workflow);
        this.asked.push(`submit ${id}${submission.front ? " front" : ""}`);
        return this.held(id);
      }),
    listJobs: (found) =>
      this.answer(() => {
        const jobs = [...this.jobs.values()].filter(
          (job) => found?.state === undefined || found.state.includes(job.state),
        );
        return { jobs: found?.queue ? jobs : jobs.toReversed(), total: jobs.length, next: null };
      }),
    readJob: (id) => this.answer(() => this.held(id)),
    readJobDocument: (id) =>
      this.answer(() => {
        const document = this.documents.get(id);
        if (document === undefined) throw new ApiError(404, "not_found", "no such job");
        return printJson(document);
      }),
    listJobNodes: () => this.answer(() => this.records),
    cancelJob: (id) =>
      this.answer(() => {
        this.asked.push(`cancel ${id}`);
        return this.held(id);
      }),
    cancelJobs: () => this.answer(() => ({ queued: 0, running: 0 })),
    retryJob: (id) =>
      this.answer(() => {
        const again = aJob(`job${this.jobs.size + 1}`, { retry_of: id });
        this.add(again, this.documents.get(id) ?? workflow({}));
        return again;
      }),
    moveJob: (id, place) =>
      this.answer(() => {
        this.asked.push(`move ${id} ${JSON.stringify(place)}`);
        return this.held(id);
      }),
    deleteJobs: (ids) =>
      this.answer(() => {
        for (const id of ids) this.jobs.delete(id);
        return ids;
      }),
    plan: () =>
      this.answer(() => {
        this.planned += 1;
        if (this.refusal !== null) throw this.refusal;
        return this.plan;
      }),
    readFile: () => this.answer(() => new Blob(["picture"])),
    listGallery: (seen) =>
      this.answer(() => ({
        files: this.gallery.filter((file) => file.starred || seen?.starred !== true),
        next: null,
      })),
    starOutput: ({ url }, starred) =>
      this.answer(() => void this.asked.push(`star ${url} ${starred}`)),
    deleteOutput: ({ url }) => this.answer(() => void this.asked.push(`delete ${url}`)),
    readMetadata: () => this.answer(() => ({})),
    upload: (_, sending) =>
      this.answer(() => {
        this.asked.push(`upload ${sending?.name ?? ""}`);
        return { name: sending?.name ?? "" } as never;
      }),
    follow: (listeners) => {
      this.listeners = listeners;
      listeners.onConnection?.("open", 0);
      return { hasten: () => undefined, stop: () => (this.listeners = null) };
    },
    followJob: () => () => undefined,
  };

  private async answer<T>(make: () => T): Promise<T> {
    await Promise.resolve();
    this.reach();
    return make();
  }

  private held(id: string): Job {
    const job = this.jobs.get(id);
    if (job === undefined) throw new ApiError(404, "not_found", "no such job");
    return job;
  }
}

/** A store over a fake server. Events are taken in at once. */
export function storeOver(
  fake: FakeServer,
  memory: Pick<Storage, "getItem" | "setItem"> | null = null,
) {
  let given = 0;
  const freed: string[] = [];
  const previews = previewsKept({
    give: () => `blob:${(given += 1)}`,
    free: (address) => freed.push(address),
  });
  const later = (action: () => void) => action();
  const store = create<EditorState>()((...own) => ({
    ...useEditor.getInitialState(),
    ...catalogueSlice(...own),
    ...tabsSlice(...own),
    ...editingSlice(...own),
    ...selectionSlice(...own),
    ...canvasSlice(...own),
    ...problemsSlice(...own),
    ...runningSliceIn({ server: fake.server, memory, later, previews })(...own),
    ...historySliceIn(fake.server)(...own),
    ...planSliceIn(fake.server)(...own),
    ...gallerySliceIn(fake.server)(...own),
  }));
  return { store, freed };
}

/** Lets all answers arrive. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
