/** What differs between two workflows, input by input, as the film strip and the comparison say it. */

import type { Graph, GraphNode, Value, Workflow } from "../graph/document";
import { printJson, same } from "../graph/json";
import { at } from "../graph/tables";
import { isAxis, isLink, isRange } from "../graph/values";

export interface Change {
  readonly kind: "changed" | "added" | "removed";
  /** The node's id, with those of the nodes around it. */
  readonly node: string;
  readonly title: string;
  readonly input: string;
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** What a run of `after` has other than a run of `before`; where nodes stand does not count. */
export function changes(before: Workflow, after: Workflow): readonly Change[] {
  return graphChanges(before, after, "");
}

function graphChanges(before: Graph, after: Graph, within: string): Change[] {
  const found: Change[] = [];
  for (const id of new Set([...Object.keys(before.nodes), ...Object.keys(after.nodes)])) {
    const old = at(before.nodes, id);
    const now = at(after.nodes, id);
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

type Inputs = GraphNode["inputs"];

function inputChanges(before: Inputs, after: Inputs) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((input) => !same(at(before, input), at(after, input)))
    .map((input) => ({
      kind: "changed" as const,
      input,
      before: before[input],
      after: after[input],
    }));
}

/** The title that a node was given, else its id. */
function titleOf(graph: Graph, id: string): string {
  return at(graph.view?.nodes, id)?.title ?? id;
}

/** A value, short enough for a caption. A link is named by where it comes from. */
export function shortly(value: Value | undefined, most = 24): string {
  const text = worded(value);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function worded(value: Value | undefined): string {
  if (value === undefined) return "–";
  if (typeof value === "string") return value === "" ? "“”" : value;
  if (isLink(value)) return `← ${value.$link[0]}`;
  if (!isAxis(value)) return printJson(value);
  const { $axis: axis } = value;
  if (!isRange(axis)) return axis.map(worded).join(", ");
  const { from, to } = axis.$range;
  return `${worded(from)}–${worded(to)}`;
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
