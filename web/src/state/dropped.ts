/** What a file that was dropped or chosen holds. The bytes decide, not its name. */

import { ApiError } from "../api/problems";
import { address, path } from "../api/request";
import { sendBytes } from "../api/documents";
import type { Workflow } from "../graph/document";
import { isList, isObject, readJson, type Json } from "../graph/json";
import { DocumentError, readWorkflow, workflowFrom } from "../graph/read";
import { say } from "../words";

export type Found =
  | { readonly workflow: Workflow; readonly remarks: readonly string[] }
  | { readonly problem: string };

/** Larger than any workflow or picture that is meant. */
const MOST = 128 * 1024 * 1024;
const MOST_TEXT = 32 * 1024 * 1024;

export async function whatIsIn(file: File): Promise<Found> {
  const { name } = file;
  const isText = await looksLikeJson(file);
  if (file.size > (isText ? MOST_TEXT : MOST)) return { problem: say("drop.tooLarge", { name }) };
  if (isText) {
    const own = ownWorkflow(await file.text());
    if (own !== null) return { workflow: own, remarks: [] };
  }
  return toldByServer(file);
}

async function looksLikeJson(file: File): Promise<boolean> {
  const head = await file.slice(0, 64).text();
  return /^\uFEFF?\s*[{[]/.test(head);
}

/** A workflow in our own form, which needs no server to be read; null for anything else. */
function ownWorkflow(text: string): Workflow | null {
  try {
    return readWorkflow(text);
  } catch {
    return null;
  }
}

async function toldByServer(file: File): Promise<Found> {
  const { name } = file;
  try {
    const at = address(path("open"), { name });
    const answer = readJson(await sendBytes(at, file, "application/octet-stream"));
    const document = isObject(answer) ? answer["document"] : undefined;
    if (document === undefined) return { problem: say("drop.noWorkflow", { name }) };
    return { workflow: workflowFrom(document), remarks: remarksIn(answer) };
  } catch (error) {
    return { problem: whyNot(name, error) };
  }
}

function remarksIn(answer: Json): string[] {
  const findings = isObject(answer) ? answer["findings"] : undefined;
  if (!isList(findings)) return [];
  const losses = findings.filter((each) => isObject(each) && each["loss"] !== "note");
  return losses
    .flatMap((each) => (isObject(each) ? [each["message"]] : []))
    .filter((message) => typeof message === "string");
}

function whyNot(name: string, error: unknown): string {
  if (!(error instanceof ApiError) || error instanceof DocumentError)
    return say("drop.broken", {
      name,
      why: error instanceof Error ? error.message : String(error),
    });
  const [first] = error.problems;
  const code = first?.code ?? error.code;
  if (code === "no_workflow") return say("drop.noWorkflow", { name });
  if (code === "too_large") return say("drop.tooLarge", { name });
  const hint = first?.hint ?? error.hint;
  if (code === "settings_only") return say("drop.settings", { name, hint: hint ?? "" });
  const why = first?.message ?? error.message;
  return say("drop.broken", { name, why: hint == null || hint === "" ? why : `${why}; ${hint}` });
}
