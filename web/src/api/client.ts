/** The operations of the server that the editor uses, each as a typed function. */

import { ApiError } from "./problems";
import { path, Requests, type Fetch, type Tagged } from "./request";
import type * as S from "./shapes";
import { sendFile, type Sending } from "./uploads";

export interface Found {
  readonly state?: readonly S.JobState[];
  readonly name?: string;
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
  /** In the order in which they will run. */
  readonly queue?: boolean;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string | null;
}

export interface Seen {
  readonly starred?: boolean;
  readonly name?: string;
  readonly text?: string;
  readonly limit?: number;
  readonly after?: string | null;
}

/** What a save expects: the revision that was read, that nothing is there, or anything at all. */
export type Over = { readonly revision: string } | "new" | "anything";

export interface Options {
  /** Where the server is; the page's own by default. */
  readonly root?: string;
  readonly fetch?: Fetch;
  /** Waits so many seconds before a submission is tried again. */
  readonly pause?: (seconds: number) => Promise<void>;
}

const PAUSES = [0.3, 1, 3];

export type Client = ReturnType<typeof createClient>;

/** A client of the server that serves the page. */
export function createClient(options: Options = {}) {
  const fetcher: Fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const requests = new Requests(options.root ?? "", fetcher);
  const pause = options.pause ?? waited;
  return {
    ...workflows(requests),
    ...jobs(requests, pause),
    ...checks(requests),
    ...files(requests),
    ...server(requests),
  };
}

function workflows(requests: Requests) {
  return {
    listWorkflows: async (): Promise<readonly S.WorkflowEntry[]> =>
      (await requests.json<{ workflows: S.WorkflowEntry[] }>("GET", path("workflows"))).workflows,

    readWorkflow: async (name: string): Promise<Tagged<S.DocumentJson>> =>
      present(await requests.tagged<S.DocumentJson>("GET", path("workflows", name))),

    /** Save; an `ApiError` that is `outdated` tells that somebody else did in the meantime. */
    saveWorkflow: (name: string, document: S.DocumentJson, over: Over): Promise<S.WorkflowEntry> =>
      requests.json("PUT", path("workflows", name), { body: document, headers: expected(over) }),

    deleteWorkflow: async (name: string, over: Over): Promise<void> => {
      await requests.answer("DELETE", path("workflows", name), { headers: expected(over) });
    },

    listVersions: async (name: string): Promise<readonly S.WorkflowVersion[]> => {
      const at = path("workflows", name, "versions");
      return (await requests.json<{ versions: S.WorkflowVersion[] }>("GET", at)).versions;
    },

    readVersion: (name: string, version: number): Promise<S.DocumentJson> =>
      requests.json("GET", path("workflows", name, "versions", version)),

    readSignature: (name: string): Promise<S.Signature> =>
      requests.json("GET", path("workflows", name, "signature")),
  };
}

function jobs(requests: Requests, pause: (seconds: number) => Promise<void>) {
  return {
    /**
     * Queue a graph. The same key makes sure that it runs once, however often this is asked: if the
     * answer is lost it is asked again here, and a caller may do the same after a reload.
     */
    submit: async (submission: S.Submission, key: string = newKey()): Promise<S.Job> => {
      const headers = { "Idempotency-Key": key };
      for (const seconds of PAUSES) {
        try {
          return await requests.json<S.Job>("POST", path("jobs"), { body: submission, headers });
        } catch (error) {
          if (!(error instanceof ApiError && error.passing)) throw error;
          await pause(error.retryAfter ?? seconds);
        }
      }
      return requests.json<S.Job>("POST", path("jobs"), { body: submission, headers });
    },

    listJobs: (found: Found = {}, signal?: AbortSignal): Promise<S.JobPage> =>
      requests.json("GET", path("jobs"), { query: { ...found }, signal }),

    readJob: (job: string): Promise<S.Job> => requests.json("GET", path("jobs", job)),

    /** What a job ran, as text: read it as a document, for it may hold large integers. */
    readJobDocument: async (job: string): Promise<string> =>
      (await requests.answer("GET", path("jobs", job, "document"))).text(),

    listJobNodes: async (job: string): Promise<readonly S.JobNode[]> => {
      const at = path("jobs", job, "nodes");
      return (await requests.json<{ nodes: S.JobNode[] }>("GET", at)).nodes;
    },

    cancelJob: (job: string): Promise<S.Job> => requests.json("POST", path("jobs", job, "cancel")),

    retryJob: (job: string): Promise<S.Job> => requests.json("POST", path("jobs", job, "retry")),

    /** Give a queued job another place: in front, behind, or right before another one. */
    moveJob: (job: string, place: S.QueuePlace): Promise<S.Job> =>
      requests.json("POST", path("jobs", job, "move"), { body: place }),

    deleteJob: async (job: string): Promise<void> => {
      await requests.answer("DELETE", path("jobs", job));
    },

    /** Forget jobs that have ended; tells which are gone. */
    deleteJobs: async (ids: readonly string[]): Promise<readonly string[]> => {
      const at = path("jobs", "delete");
      return (await requests.json<{ deleted: string[] }>("POST", at, { body: { ids } })).deleted;
    },

    readQueue: (): Promise<S.Queue> => requests.json("GET", path("queue")),

    pauseQueue: (): Promise<S.Queue> => requests.json("POST", path("queue", "pause")),

    resumeQueue: (): Promise<S.Queue> => requests.json("POST", path("queue", "resume")),

    /** Cancel all that waits, and all that runs too if `running`. */
    cancelJobs: (running: boolean): Promise<{ queued: number; running: number }> =>
      requests.json("POST", path("queue", "cancel"), { query: { running } }),
  };
}

function checks(requests: Requests) {
  return {
    /** Every problem of a graph; finding some is an answer, not an error. */
    validate: (question: S.Question, signal?: AbortSignal): Promise<S.Verdict> =>
      requests.json("POST", path("validate"), { body: question, signal }),

    /** What is stored, what would run, and how long that takes. */
    plan: (question: S.Question, signal?: AbortSignal): Promise<S.Plan> =>
      requests.json("POST", path("plan"), { body: question, signal }),

    explain: (question: Partial<S.Explanation>, signal?: AbortSignal): Promise<S.Explained> =>
      requests.json("POST", path("explain"), { body: question, signal }),
  };
}

function files(requests: Requests) {
  return {
    listOutputs: (job: string): Promise<S.OutputList> =>
      requests.json("GET", path("jobs", job, "outputs")),

    /** The files of all jobs, the newest first. */
    listGallery: (seen: Seen = {}, signal?: AbortSignal): Promise<S.GalleryPage> =>
      requests.json("GET", path("gallery"), { query: { ...seen }, signal }),

    /** Give a file a star, or take it away. */
    starOutput: async (file: { readonly url: string }, starred: boolean): Promise<void> => {
      await requests.answer("PATCH", file.url, { body: { starred } });
    },

    /** Delete a file that a job delivered; the job is still known. */
    deleteOutput: async (file: { readonly url: string }): Promise<void> => {
      await requests.answer("DELETE", file.url);
    },

    /** What a file carries: the workflow that made it, and more. Empty if nothing. */
    readMetadata: (file: { readonly url: string }): Promise<S.JsonRecord> =>
      requests.json("GET", `${file.url}/metadata`),

    /** The workflow in a file that was dropped: JSON of ours or ComfyUI's, or a picture with one. */
    openFile: (file: Blob, name: string): Promise<S.Opened> =>
      requests.json("POST", path("open"), {
        query: { name },
        content: file,
        headers: { "Content-Type": "application/octet-stream" },
      }),

    listUploads: async (): Promise<readonly S.Upload[]> =>
      (await requests.json<{ uploads: S.Upload[] }>("GET", path("uploads"))).uploads,

    /** Send a picture, telling how far it is. */
    upload: (file: Blob, sending: Sending = {}): Promise<S.NewUpload> =>
      sendFile(requests.root + path("uploads"), file, sending),

    deleteUpload: async (name: string): Promise<void> => {
      await requests.answer("DELETE", path("uploads", name));
    },

    /** The bytes of a file of the server. */
    readFile: async (url: string): Promise<Blob> =>
      (await requests.answer("GET", url, { headers: { Accept: "*/*" } })).blob(),
  };
}

function server(requests: Requests) {
  return {
    /** The node types; null if they are those of the revision that one has. */
    listNodes: (known?: string): Promise<Tagged<S.NodeTypes> | null> =>
      requests.tagged("GET", path("nodes"), {
        headers: known === undefined ? {} : { "If-None-Match": `"${known}"` },
      }),

    listModels: (): Promise<S.ModelList> => requests.json("GET", path("models")),

    readStore: (): Promise<S.Store> => requests.json("GET", path("store")),

    /** Let go of stored results, down to so many bytes; none: all. */
    pruneStore: (to: number | null): Promise<S.Store> =>
      requests.json("POST", path("store", "prune"), { body: { to } }),

    readSystem: (): Promise<S.System> => requests.json("GET", path("system")),

    listWorkers: async (): Promise<readonly S.Worker[]> =>
      (await requests.json<{ workers: S.Worker[] }>("GET", path("workers"))).workers,

    restartWorker: async (worker: string): Promise<void> => {
      await requests.answer("POST", path("workers", worker, "restart"));
    },

    readHealth: (): Promise<S.Health> => requests.json("GET", path("health")),

    readMe: (): Promise<S.Me> => requests.json("GET", path("me")),
  };
}

/** Where a small picture of a picture is, by the picture's own address. */
export function thumbnailUrl(url: string, size: number): string {
  return `${url}?thumbnail=${size}`;
}

/** Where the picture is that an input names: one that was sent, or one that comes with Darkroom. */
export function pictureUrl(name: string): string {
  return path("pictures", ...name.split("/"));
}

/** Where somebody logs in, to come back to where they were. */
export function loginUrl(there: string): string {
  return `/login?next=${encodeURIComponent(there)}`;
}

/** A key that no other request has. `randomUUID` is missing where a page came without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function expected(over: Over): Record<string, string> {
  if (over === "new") return { "If-None-Match": "*" };
  return { "If-Match": over === "anything" ? "*" : `"${over.revision}"` };
}

function present<T>(found: T | null): T {
  if (found === null) throw new ApiError(304, "unreadable", "The server has nothing newer.");
  return found;
}

function waited(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
