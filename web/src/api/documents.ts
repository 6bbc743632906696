/** Documents as text: JavaScript's own JSON would round large seeds and make `3.0` a `3`. */

import { ApiError, errorOf, UNREACHABLE } from "./problems";
import { path } from "./request";
import type { WorkflowEntry } from "./shapes";

export interface DocumentText {
  readonly text: string;
  readonly revision: string;
}

/** What a save expects: the revision that was read, that nothing is there, or anything at all. */
export type Expected = { readonly revision: string } | "new" | "anything";

export async function readDocument(name: string): Promise<DocumentText> {
  const answer = await asked(path("workflows", name), {});
  const tag = answer.headers.get("ETag") ?? "";
  return { text: await answer.text(), revision: tag.replace(/^W\//, "").replace(/"/g, "") };
}

/** Save; an `ApiError` that is `outdated` tells that somebody else did in the meantime. */
export async function saveDocument(
  name: string,
  text: string,
  expected: Expected,
): Promise<WorkflowEntry> {
  const condition: Record<string, string> =
    expected === "new"
      ? { "If-None-Match": "*" }
      : { "If-Match": expected === "anything" ? "*" : `"${expected.revision}"` };
  const answer = await asked(path("workflows", name), {
    method: "PUT",
    body: text,
    headers: { "Content-Type": "application/json", ...condition },
  });
  return (await answer.json()) as WorkflowEntry;
}

/** The text of any answer in JSON. */
export async function readText(at: string): Promise<string> {
  return (await asked(at, {})).text();
}

/** Send bytes and get JSON as text. */
export async function sendBytes(at: string, bytes: Blob, type: string): Promise<string> {
  const headers = { "Content-Type": type };
  return (await asked(at, { method: "POST", body: bytes, headers })).text();
}

async function asked(at: string, init: RequestInit): Promise<Response> {
  const headers = { Accept: "application/json", ...init.headers };
  let answer: Response;
  try {
    answer = await fetch(at, { ...init, headers, credentials: "same-origin" });
  } catch (error) {
    throw new ApiError(0, UNREACHABLE, error instanceof Error ? error.message : String(error));
  }
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}
