/** What a file that was dropped or chosen holds. The bytes decide, not its name. */

import { ApiError } from "../api/problems";
import { address, path } from "../api/request";
import { sendBytes } from "../api/documents";
import type { Workflow } from "../graph/document";
import { isList, isObject, readJson, type Json } from "../graph/json";
import { DocumentError, readWorkflow, workflowFrom } from "../graph/read";
import { say } from "../words";

/** A workflow that a file holds, and what of it differs here. */
export interface Opening {
  readonly workflow: Workflow;
  readonly remarks: readonly string[];
}

export type Found =
  | { readonly kind: "workflow"; readonly opening: Opening }
  /** It may be meant as an input as well; if it carries nothing that opens, it says why. */
  | { readonly kind: "picture"; readonly opening: Opening | null; readonly why: string }
  | { readonly kind: "problem"; readonly problem: string };

/** Larger than any workflow or picture that is meant. */
const MOST = 128 * 1024 * 1024;
const MOST_TEXT = 32 * 1024 * 1024;
const OF_MODELS = /\.(safetensors|ckpt|pt|pth|bin|gguf)$/i;

/** What a file holds. `models` is the folder of model files, if it is known where that lies. */
export async function whatIsIn(file: File, models: string | null): Promise<Found> {
  const { name } = file;
  if (OF_MODELS.test(name)) return { kind: "problem", problem: whereModelsGo(name, models) };
  const isText = await looksLikeJson(file);
  if (file.size > (isText ? MOST_TEXT : MOST)) return problem(say("drop.tooLarge", { name }));
  if (isText) {
    const own = ownWorkflow(await file.text());
    if (own !== null) return { kind: "workflow", opening: { workflow: own, remarks: [] } };
  }
  const found = await toldByServer(file);
  const isBare = found.kind === "picture" && found.opening === null;
  return isBare && !(await canBeSeen(file)) ? problem(say("drop.damaged", { name })) : found;
}

/** Whether a picture is whole: only then it is of use as an input. */
async function canBeSeen(file: File): Promise<boolean> {
  if (typeof createImageBitmap === "undefined") return true;
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return false;
  }
}

/** What to do with a model file: a page cannot put one into the server's folder. */
export const whereModelsGo = (name: string, models: string | null, kind?: string): string =>
  say("drop.model", { name, folder: modelsFolder(models, kind) });

/** The folder of a kind of model files, as whole as it is known. */
export function modelsFolder(models: string | null, kind?: string): string {
  const parts = [models ?? "models", ...(kind === undefined ? [] : [kind])];
  return parts.join(models?.includes("\\") === true ? "\\" : "/");
}

const problem = (text: string): Found => ({ kind: "problem", problem: text });

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
    if (document === undefined) return problem(say("drop.noWorkflow", { name }));
    const opening = { workflow: workflowFrom(document), remarks: remarksIn(answer) };
    const isPicture = isObject(answer) && answer["picture"] === true;
    return isPicture ? { kind: "picture", opening, why: "" } : { kind: "workflow", opening };
  } catch (error) {
    return whyNot(name, error);
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

function whyNot(name: string, error: unknown): Found {
  if (!(error instanceof ApiError) || error instanceof DocumentError) {
    const why = error instanceof Error ? error.message : String(error);
    return problem(say("drop.broken", { name, why }));
  }
  const [first] = error.problems;
  const code = first?.code ?? error.code;
  const hint = first?.hint ?? error.hint;
  const bare = (why: string): Found => ({ kind: "picture", opening: null, why });
  if (code === "no_workflow") return bare(say("drop.noWorkflow", { name }));
  if (code === "settings_only") return bare(say("drop.settings", { name, hint: hint ?? "" }));
  if (code === "too_large") return problem(say("drop.tooLarge", { name }));
  const why = first?.message ?? error.message;
  const whole = hint == null || hint === "" ? why : `${why}; ${hint}`;
  return problem(say("drop.broken", { name, why: whole }));
}
