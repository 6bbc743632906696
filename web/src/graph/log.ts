/** Undo and redo: the steps of a document, as JSON that survives a reload. */

import { applied, type Delta, delta, reverted } from "./delta";
import type { Workflow } from "./document";
import { isList, isObject, type Json, printJson, readJson } from "./json";
import { workflowFrom } from "./read";

interface Step {
  /** The name of the command: what "Undo …" says. */
  readonly label: string;
  readonly change: Delta;
  readonly merge?: string;
  /** The characters that it takes as JSON. */
  readonly size: number;
}

export interface Log {
  readonly done: readonly Step[];
  /** Steps taken back, the next to redo last. */
  readonly undone: readonly Step[];
}

export interface Moved {
  readonly log: Log;
  readonly workflow: Workflow;
  /** The name of the command that was undone or redone. */
  readonly label: string;
}

export const EMPTY_LOG: Log = { done: [], undone: [] };
export const MAX_STEPS = 1000;
export const MAX_SIZE = 5_000_000;

/**
 * The log with a step added; unchanged if nothing changed. A step of the same `merge` key as the
 * last one becomes one with it: the typing in a field, one drag. Steps taken back are gone then,
 * and the oldest beyond `MAX_STEPS` and `MAX_SIZE`.
 */
export function record(
  log: Log,
  label: string,
  before: Workflow,
  after: Workflow,
  options: { readonly merge?: string | undefined } = {},
): Log {
  const { merge } = options;
  const last = log.done.at(-1);
  if (merge !== undefined && last?.merge === merge && log.undone.length === 0) {
    const start = reverted(before, last.change);
    const change = delta(start, after);
    const rest = log.done.slice(0, -1);
    return {
      done: change === null ? rest : [...rest, step(last.label, change, merge)],
      undone: [],
    };
  }
  const change = delta(before, after);
  if (change === null) return log;
  return { done: bounded([...log.done, step(label, change, merge)]), undone: [] };
}

/** End the last step, so that what follows is a step of its own: on leaving a field. */
export function sealed(log: Log): Log {
  const last = log.done.at(-1);
  if (last?.merge === undefined) return log;
  const { label, change, size } = last;
  return { ...log, done: [...log.done.slice(0, -1), { label, change, size }] };
}

/** The document before the last step; null if there is none, or it does not fit the document. */
export function undo(log: Log, workflow: Workflow): Moved | null {
  const last = log.done.at(-1);
  if (last === undefined) return null;
  const before = reverted(workflow, last.change);
  if (!isWorkflow(before)) return null;
  const done = sealed({ done: log.done.slice(0, -1), undone: [] }).done;
  return { log: { done, undone: [...log.undone, last] }, workflow: before, label: last.label };
}

/** The document with the step that was undone last; null if there is none. */
export function redo(log: Log, workflow: Workflow): Moved | null {
  const next = log.undone.at(-1);
  if (next === undefined) return null;
  const after = applied(workflow, next.change);
  if (!isWorkflow(after)) return null;
  const done = sealed({ done: [...log.done, next], undone: [] }).done;
  return { log: { done, undone: log.undone.slice(0, -1) }, workflow: after, label: next.label };
}

export function logSize(log: Log): number {
  return [...log.done, ...log.undone].reduce((sum, { size }) => sum + size, 0);
}

/** The log as JSON text. */
export function logText(log: Log): string {
  const shown = (steps: readonly Step[]): Json =>
    steps.map(({ label, change, merge }) => ({
      label,
      change,
      ...(merge === undefined ? {} : { merge }),
    }));
  return printJson({ done: shown(log.done), undone: shown(log.undone) });
}

/** The log in a text; empty if it is none, for a document is worth more than its past. */
export function logFrom(text: string): Log {
  try {
    const whole = readJson(text);
    return isObject(whole)
      ? { done: stepsIn(whole["done"]), undone: stepsIn(whole["undone"]) }
      : EMPTY_LOG;
  } catch {
    return EMPTY_LOG;
  }
}

function stepsIn(value: Json | undefined): Step[] {
  if (!isList(value)) return [];
  return value.flatMap((each): Step[] => {
    if (!isObject(each)) return [];
    const { label, change, merge } = each;
    if (typeof label !== "string" || !isObject(change)) return [];
    return [step(label, change, typeof merge === "string" ? merge : undefined)];
  });
}

function step(label: string, change: Delta, merge: string | undefined): Step {
  const size = label.length + printJson(change).length + (merge?.length ?? 0);
  return { label, change, size, ...(merge === undefined ? {} : { merge }) };
}

function bounded(steps: readonly Step[]): readonly Step[] {
  let first = Math.max(0, steps.length - MAX_STEPS);
  let size = steps.slice(first).reduce((sum, each) => sum + each.size, 0);
  while (size > MAX_SIZE && first < steps.length - 1) {
    size -= steps[first]?.size ?? 0;
    first += 1;
  }
  return first === 0 ? steps : steps.slice(first);
}

/** Whether it is a workflow still: a log of another document leads elsewhere. */
function isWorkflow(value: Json): value is Workflow {
  try {
    workflowFrom(value);
    return true;
  } catch {
    return false;
  }
}
