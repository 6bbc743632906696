/** What one run did so far, node by node: made of its events alone. */

import type { ServerEvent } from "../api/socket";
import type { Fault, Job, JobNode } from "../api/shapes";
import type { Graph, GraphNode, Workflow } from "../graph/document";
import { LOOP, MAP } from "../graph/ports";

export type RunState = "idle" | "queued" | "running" | "done" | "cached" | "error";

/** What a node did in one run. */
export interface NodeStep {
  readonly state: RunState;
  readonly done: number;
  readonly total: number;
  /** How long it took, over all its cells and laps. */
  readonly seconds: number;
  readonly problem: Fault | null;
}

export interface Run {
  readonly job: string;
  /** By address: the id of the node, with those of the nodes around it. */
  readonly nodes: ReadonlyMap<string, NodeStep>;
  /** Addresses in the order in which nodes began or were found stored. */
  readonly order: readonly string[];
  /** Where the run is: the node that told something last. */
  readonly at: string | null;
  readonly warnings: readonly { readonly node: string | null; readonly message: string }[];
  /** The last event that is told here, so that none counts twice. */
  readonly last: number;
}

/** Stands for a document that was not read yet: places are taken as they are. */
export const EMPTY: Workflow = { darkroom: 1, name: "", inputs: {}, outputs: {}, nodes: {} };

const UNTOUCHED: NodeStep = { state: "idle", done: 0, total: 0, seconds: 0, problem: null };

export const newRun = (job: string): Run => ({
  job,
  nodes: new Map(),
  order: [],
  at: null,
  warnings: [],
  last: 0,
});

/** The address of the node that a place stands for: without the cells of sweeps and the laps. */
export function addressOf(place: string, graph: Graph): string {
  const kept: string[] = [];
  let scopes: readonly Graph[] = [graph];
  let isKnown = true;
  let mayBeLap = false;
  for (const part of withoutCells(place).split("/")) {
    if (mayBeLap && /^\d+$/.test(part)) {
      mayBeLap = false;
      continue;
    }
    kept.push(part);
    const node: GraphNode | undefined = isKnown ? scopes.at(-1)?.nodes[part] : undefined;
    mayBeLap = !isKnown || node?.type === MAP || node?.type === LOOP;
    const inner: Graph | undefined =
      node?.graph === undefined ? undefined : subgraph(scopes, node.graph);
    isKnown = inner !== undefined;
    if (inner !== undefined) scopes = [...scopes, inner];
  }
  return kept.join("/");
}

const withoutCells = (place: string): string => place.replace(/\[[^\]]*\]/g, "");

/** The graph of this name that is nearest: one's own, or of those around. */
function subgraph(scopes: readonly Graph[], name: string): Graph | undefined {
  return scopes.findLast((scope) => scope.subgraphs?.[name] !== undefined)?.subgraphs?.[name];
}

/** The run after an event of one of its nodes. `graph` is what is run. */
export function happened(run: Run, event: ServerEvent, graph: Graph): Run {
  if (event.id <= run.last) return run;
  if (event.type === "warned") {
    const node = event.data.node === null ? null : addressOf(event.data.node, graph);
    const warnings = [...run.warnings, { node, message: event.data.message }];
    return { ...run, warnings, last: event.id };
  }
  if (!("node" in event.data)) return { ...run, last: event.id };
  const address = addressOf(event.data.node, graph);
  const before = run.nodes.get(address);
  const after = stepped(before ?? UNTOUCHED, event);
  const nodes = new Map(run.nodes).set(address, after);
  for (const outer of outers(address)) nodes.set(outer, around(nodes.get(outer), after));
  return {
    ...run,
    nodes,
    order: before === undefined ? [...run.order, address] : run.order,
    at: placeAfter(run, nodes, address),
    last: event.id,
  };
}

/** Where the run is: the node that told something, or if that is done another that is at work. */
function placeAfter(run: Run, nodes: Run["nodes"], address: string): string | null {
  const isAtWork = (other: string | null) =>
    other !== null && ["running", "error"].includes(nodes.get(other)?.state ?? "");
  if (isAtWork(address)) return address;
  if (isAtWork(run.at)) return run.at;
  return run.order.findLast((other) => isAtWork(other)) ?? null;
}

function stepped(before: NodeStep, event: ServerEvent): NodeStep {
  switch (event.type) {
    case "node.started":
      return { ...before, state: "running", done: 0, total: 0 };
    case "node.progressed":
      return { ...before, state: "running", done: event.data.done, total: event.data.total };
    case "node.finished": {
      const { state, seconds } = event.data;
      // One cell that was computed makes the node computed, however many were stored.
      if (state === "stored" && before.seconds === 0) return { ...before, state: "cached" };
      if (state === "stored") return { ...before, state: "done" };
      return { ...before, state: "done", seconds: before.seconds + seconds };
    }
    case "node.failed":
      return { ...before, state: "error", problem: event.data.problem };
    default:
      return before;
  }
}

/** A node that stands for a graph, after one of the nodes in it told something. */
function around(before: NodeStep = UNTOUCHED, inner: NodeStep): NodeStep {
  if (inner.state === "error") return { ...before, state: "error", problem: inner.problem };
  if (before.state === "error") return before;
  const { done, total } = inner.state === "running" ? inner : before;
  return { ...before, state: "running", done, total };
}

function outers(address: string): string[] {
  const parts = address.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** The run after its job has ended: nothing is under way any more. */
export function ended(run: Run, succeeded: boolean): Run {
  const nodes = new Map(run.nodes);
  for (const [address, step] of run.nodes) {
    if (step.state !== "running") continue;
    nodes.set(address, { ...step, state: succeeded ? wholeOf(run, address) : "idle" });
  }
  return { ...run, nodes, at: null };
}

function wholeOf(run: Run, address: string): RunState {
  const inner = [...run.nodes].filter(([other]) => other.startsWith(`${address}/`));
  return inner.length > 0 && inner.every(([, step]) => step.state === "cached") ? "cached" : "done";
}

/** A run that has ended, from what the server kept of it. */
export function recorded(job: Job, records: readonly JobNode[], graph: Graph): Run {
  let run = newRun(job.id);
  for (const [index, { node, type, state, seconds, bytes }] of records.entries()) {
    if (state === "skipped") continue;
    const told = { id: index + 1, job: job.id, time: 0 };
    const problem = job.error?.problems.find((fault) => fault["node"] === node);
    const event: ServerEvent =
      state === "failed"
        ? { ...told, type: "node.failed", data: { node, type, problem: faultOf(problem, job) } }
        : { ...told, type: "node.finished", data: { node, type, state, seconds, bytes } };
    run = happened(run, event, graph);
  }
  return { ...ended(run, job.state === "succeeded"), last: Number.MAX_SAFE_INTEGER };
}

/** A problem of a job's error; what is not told is that of the whole. */
export function faultOf(json: { readonly [key: string]: unknown } | undefined, job: Job): Fault {
  const text = (key: string): string | null => {
    const value = json?.[key];
    return typeof value === "string" ? value : null;
  };
  return {
    code: text("code") ?? job.error?.code ?? "node_failed",
    message: text("message") ?? job.error?.detail ?? "",
    node: text("node"),
    input: text("input"),
    hint: text("hint"),
    pointer: text("pointer"),
  };
}
