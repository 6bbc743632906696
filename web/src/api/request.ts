/** One request to the server and its answer. */

import { ABORTED, ApiError, errorOf, UNREACHABLE, UNREADABLE } from "./problems";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;
export type Query = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly string[]>
>;

export interface Ask {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly content?: Blob;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Something with the revision by which the server knows it. */
export interface Tagged<T> {
  readonly value: T;
  readonly revision: string;
}

/** The path under the server's root, with each part escaped. */
export function path(...parts: readonly (string | number)[]): string {
  return ["/api/v1", ...parts.map((part) => encodeURIComponent(part))].join("/");
}

/** An address with its query; what is absent is left out. */
export function address(at: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "object") value.forEach((each) => search.append(name, each));
    else search.append(name, String(value));
  }
  const text = search.toString();
  return text === "" ? at : `${at}?${text}`;
}

/** Sends requests, and throws an `ApiError` for whatever is no success. */
export class Requests {
  constructor(
    readonly root: string,
    private readonly fetch: Fetch,
  ) {}

  /** The answer itself; 304 is one. */
  async answer(method: string, at: string, ask: Ask = {}): Promise<Response> {
    const answer = await this.send(method, address(this.root + at, ask.query), ask);
    if (answer.ok || answer.status === 304) return answer;
    throw await errorOf(answer);
  }

  /** The answer's JSON. */
  async json<T>(method: string, at: string, ask: Ask = {}): Promise<T> {
    return read<T>(await this.answer(method, at, ask));
  }

  /** The answer's JSON with its ETag; null if the caller has it already. */
  async tagged<T>(method: string, at: string, ask: Ask = {}): Promise<Tagged<T> | null> {
    const answer = await this.answer(method, at, ask);
    if (answer.status === 304) return null;
    const tag = answer.headers.get("ETag") ?? "";
    return { value: await read<T>(answer), revision: tag.replace(/^W\//, "").replace(/"/g, "") };
  }

  private async send(method: string, url: string, ask: Ask): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...ask.headers };
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (ask.body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(ask.body);
    }
    if (ask.content !== undefined) init.body = ask.content;
    if (ask.signal !== undefined) init.signal = ask.signal;
    try {
      return await this.fetch(url, init);
    } catch (error) {
      if (ask.signal?.aborted === true) throw new ApiError(0, ABORTED, "The request was given up.");
      throw new ApiError(0, UNREACHABLE, error instanceof Error ? error.message : String(error));
    }
  }
}

async function read<T>(answer: Response): Promise<T> {
  try {
    return (await answer.json()) as T;
  } catch {
    throw new ApiError(answer.status, UNREADABLE, "The answer is not JSON.");
  }
}
