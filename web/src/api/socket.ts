/** What happens on the server, as it happens; lost connections are made again without a gap. */

import { address, path } from "./request";
import type { Fault, Job } from "./shapes";

interface Happened<Type extends string, Data> {
  readonly id: number;
  readonly type: Type;
  readonly job: string | null;
  /** Seconds since 1970. */
  readonly time: number;
  readonly data: Data;
}

/** A node by its id; inside subgraphs the path of ids down to it. */
interface OfNode {
  readonly node: string;
  /** The name of its type. */
  readonly type: string;
}

export type JobEvent = Happened<
  | "job.queued"
  | "job.started"
  | "job.succeeded"
  | "job.failed"
  | "job.cancelled"
  | "job.requeued"
  | "job.moved"
  /** The job as it was. */
  | "job.deleted",
  { readonly job: Job }
>;
export type ServerEvent =
  | JobEvent
  | Happened<"outputs.changed", object>
  | Happened<"node.started", OfNode>
  | Happened<"node.progressed", OfNode & { readonly done: number; readonly total: number }>
  | Happened<
      "node.finished",
      OfNode & { readonly state: string; readonly seconds: number; readonly bytes: number }
    >
  | Happened<"node.failed", OfNode & { readonly problem: Fault }>
  | Happened<"warned", { readonly message: string; readonly node: string | null }>
  | Happened<"queue.paused" | "queue.resumed" | "workers.changed", object>
  | Happened<"catalogue.changed", { readonly digest: string }>;

/** A picture of what a node is making, with the progress that it shows. */
export interface Preview {
  readonly event: ServerEvent;
  readonly picture: Blob;
}

/** `lost`: nothing comes now, and it is tried again. A browser does not say whether a login would help. */
export type Connection = "connecting" | "open" | "lost" | "closed";

export interface Listeners {
  readonly onEvent: (event: ServerEvent) => void;
  readonly onPreview?: (preview: Preview) => void;
  /** `attempt` counts what failed since the connection was lost; 0 at the first `open`. */
  readonly onConnection?: (connection: Connection, attempt: number) => void;
}

/** The part of a browser's WebSocket that is used. */
export interface Wire {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  readonly readyState: number;
  send(data: string): void;
  close(code?: number): void;
}

export interface SocketOptions {
  /** `ws://…` or `wss://…` of the server; the page's own by default. */
  readonly root?: string;
  /** The last event that was seen before, so that nothing since is missed. */
  readonly after?: number | null;
  readonly previews?: boolean;
  readonly open?: (url: string) => Wire;
  /** From 0 up to 1: how reconnecting clients are kept from coming all at once. */
  readonly chance?: () => number;
}

/** Close codes of the server. */
const LAGGING = 4008;
const RESTARTS = 1012;

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** An attempt that neither opens nor fails for so long is given up. */
const OPENING = 10_000;
const OPEN = 1;

/**
 * One socket for a whole page. The server's pings keep it alive and browsers answer them by
 * themselves; a machine that slept finds its connection dead on `online` or when it is shown again.
 */
export class EventSocket {
  /** The id of the last event that was seen; null before the first. */
  last: number | null;
  private wire: Wire | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private previews: boolean;
  private stopped = true;

  constructor(
    private readonly listeners: Listeners,
    private readonly options: SocketOptions = {},
  ) {
    this.last = options.after ?? null;
    this.previews = options.previews ?? false;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.drop();
    this.listeners.onConnection?.("closed", 0);
  }

  /** Try at once, not when the pause is over: the network is back, or the page is shown again. */
  hasten(): void {
    if (this.stopped || this.wire !== null) return;
    this.attempt = 0;
    this.connect();
  }

  /** Whether pictures of what is being made are wanted. */
  wantPreviews(wanted: boolean): void {
    if (wanted === this.previews) return;
    this.previews = wanted;
    if (this.wire?.readyState === OPEN) this.wire.send(JSON.stringify({ previews: wanted }));
  }

  private connect(): void {
    this.drop();
    this.listeners.onConnection?.(this.attempt === 0 ? "connecting" : "lost", this.attempt);
    const query = { after: this.last, previews: this.previews };
    const url = (this.options.root ?? here()) + address(path("socket"), query);
    const asked = this.previews;
    const wire = (this.options.open ?? ((at: string): Wire => new WebSocket(at)))(url);
    this.wire = wire;
    wire.binaryType = "arraybuffer";
    this.timer = setTimeout(() => this.lose(wire, 0), OPENING);
    wire.onopen = () => {
      clearTimeout(this.timer);
      const { attempt } = this;
      this.attempt = 0;
      if (asked !== this.previews) wire.send(JSON.stringify({ previews: this.previews }));
      this.listeners.onConnection?.("open", attempt);
    };
    wire.onmessage = (message) => this.take(message.data);
    wire.onclose = (event) => this.lose(wire, event.code);
    wire.onerror = () => undefined; // a close follows
  }

  private take(data: unknown): void {
    if (typeof data === "string") {
      const event = parse(data);
      if (event === null) return;
      this.last = event.id;
      this.listeners.onEvent(event);
    } else if (data instanceof ArrayBuffer) {
      const preview = unpack(data);
      if (preview !== null) this.listeners.onPreview?.(preview);
    }
  }

  private lose(wire: Wire, code: number): void {
    if (wire !== this.wire || this.stopped) return;
    this.drop();
    this.attempt += 1;
    this.listeners.onConnection?.("lost", this.attempt);
    // One that was only too slow is welcome at once, and one whose server restarts soon.
    const pause = code === LAGGING ? 0 : this.pause(code === RESTARTS ? 1 : this.attempt);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  private pause(attempt: number): number {
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
    return longest * (0.5 + 0.5 * (this.options.chance ?? Math.random)());
  }

  private drop(): void {
    clearTimeout(this.timer);
    const wire = this.wire;
    this.wire = null;
    if (wire === null) return;
    wire.onopen = wire.onmessage = wire.onclose = wire.onerror = null;
    wire.close();
  }
}

/** Splits a binary message: four bytes with the length of the event's JSON, the JSON, a JPEG. */
export function unpack(data: ArrayBuffer): Preview | null {
  if (data.byteLength < 4) return null;
  const length = new DataView(data).getUint32(0);
  if (4 + length > data.byteLength) return null;
  const event = parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  if (event === null) return null;
  return { event, picture: new Blob([data.slice(4 + length)], { type: "image/jpeg" }) };
}

function parse(text: string): ServerEvent | null {
  try {
    const value: unknown = JSON.parse(text);
    const known = typeof value === "object" && value !== null && "id" in value && "type" in value;
    return known && typeof value.id === "number" ? (value as ServerEvent) : null;
  } catch {
    return null;
  }
}

function here(): string {
  return location.origin.replace(/^http/, "ws");
}
