/** What differs between two workflows, input by input, as the film strip and the comparison say it. */

import type { Graph, Workflow } from "../graph/document";

export interface Change {
  readonly kind: "changed" | "added" | "removed";
  /** The node's id, with those of the nodes around it. */
  readonly node: string;
  readonly title: string;
  readonly input: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What a run of `after` has other than a run of `before`; where nodes stand does not count. */
export function changes(before: Workflow, after: Workflow): readonly Change[] {
  return graphChanges(before, after, "");
}

function graphChanges(before: Graph, after: Graph, within: string): Change[] {
  const found: Change[] = [];
  for (const id of new Set([...Object.keys(before.nodes), ...Object.keys(after.nodes)])) {
    const old = own(before.nodes, id);
    const now = own(after.nodes, id);
    if (old === now) continue;
    const common = { node: within + id, title: titleOf(now === undefined ? before : after, id) };
    const whole = { ...common, input: "", before: old?.type, after: now?.type };
    if (old === undefined) found.push({ ...whole, kind: "added" });
    else if (now === undefined) found.push({ ...whole, kind: "removed" });
    else if (old.type !== now.type) found.push({ ...whole, kind: "changed" });
    else {
      for (const part of ["mode", "graph"] as const) {
        if (old[part] === now[part]) continue;
        found.push({
          ...common,
          kind: "changed",
          input: part,
          before: old[part],
          after: now[part],
        });
      }
      found.push(...inputChanges(old.inputs, now.inputs).map((each) => ({ ...common, ...each })));
    }
  }
  const graphs = { ...before.subgraphs, ...after.subgraphs };
  for (const name of Object.keys(graphs)) {
    const old = before.subgraphs?.[name];
    const now = after.subgraphs?.[name];
    if (old && now && old !== now) found.push(...graphChanges(old, now, `${within}${name}/`));
  }
  return found;
}

type Inputs = Readonly<Record<string, unknown>>;

function inputChanges(before: Inputs, after: Inputs) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((input) => !alike(before[input], after[input]))
    .map((input) => ({
      kind: "changed" as const,
      input,
      before: before[input],
      after: after[input],
    }));
}

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/** The title that a node was given, else its id. */
function titleOf(graph: Graph, id: string): string {
  return graph.view?.nodes?.[id]?.title ?? id;
}

/** Whether two values of inputs are the same. */
export function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => alike(Reflect.get(a, key), Reflect.get(b, key)));
}

/** A value, short enough for a caption. A link is named by where it comes from. */
export function shortly(value: unknown, most = 24): string {
  const text = worded(value);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function worded(value: unknown): string {
  if (value === undefined) return "–";
  if (typeof value === "string") return value === "" ? "“”" : value;
  if (typeof value === "object" && value !== null && "$link" in value) {
    return Array.isArray(value.$link) ? `← ${String(value.$link[0])}` : "←";
  }
  if (typeof value === "object" && value !== null) {
    return JSON.stringify(value, (_, each: unknown) =>
      typeof each === "bigint" ? String(each) : each,
    );
  }
  return String(value);
}

/** The words that a text lost and gained, so that two long prompts can be told apart. */
export function wordChanges(
  before: string,
  after: string,
): { readonly gone: string; readonly come: string } {
  const old = before.split(/(?<=\s)/);
  const now = after.split(/(?<=\s)/);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const cut = (words: string[]) =>
    words
      .slice(start, words.length - end)
      .join("")
      .trim();
  return { gone: cut(old), come: cut(now) };
}
