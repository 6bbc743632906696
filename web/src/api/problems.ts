/** What went wrong with a request. */

import type { Fault, ProblemDocument } from "./shapes";

/** The code of an error that no server told: nothing answered. */
export const UNREACHABLE = "unreachable";
/** The code of an answer that is not in the server's form, such as a proxy's page. */
export const UNREADABLE = "unreadable";
/** The code of a request that was given up here. */
export const ABORTED = "aborted";

/** A request that failed, with everything that the server said about it. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The status of HTTP; 0 if nothing answered. */
    readonly status: number,
    /** Stable; texts are looked up by it. */
    readonly code: string,
    detail: string,
    readonly hint: string | null = null,
    /** Each thing that is wrong, with its node and input. */
    readonly problems: readonly Fault[] = [],
    /** Seconds after which to try again, if the server said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  /** Whether the same request may succeed a moment later. */
  get passing(): boolean {
    return this.code === UNREACHABLE || [429, 502, 503, 504].includes(this.status);
  }

  /** Whether somebody has to log in. */
  get stranger(): boolean {
    return this.status === 401;
  }

  /** Whether somebody else saved in the meantime, or it is there already. */
  get outdated(): boolean {
    return this.status === 412 || this.status === 428;
  }
}

/** The error that an answer tells. */
export async function errorOf(answer: Response): Promise<ApiError> {
  return told(answer.status, await answer.text(), answer.headers.get("Retry-After"));
}

/** The error in the text of an answer. */
export function told(status: number, text: string, retryAfter: string | null = null): ApiError {
  const seconds = retryAfter === null ? null : Number(retryAfter);
  const later = seconds === null || Number.isNaN(seconds) ? null : seconds;
  const problem = parsed(text);
  if (problem === null) {
    return new ApiError(status, UNREADABLE, `The server answered ${status}.`, null, [], later);
  }
  return new ApiError(
    status,
    problem.code,
    problem.detail ?? problem.title,
    problem.hint ?? null,
    problem.problems ?? [],
    later,
  );
}

function parsed(text: string): ProblemDocument | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    return "code" in value && "title" in value ? (value as ProblemDocument) : null;
  } catch {
    return null;
  }
}
