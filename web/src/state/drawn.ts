/** A run as the graph shows it: on each node its state, how far it is, and its last picture. */

import type { Job, Plan } from "../api/shapes";
import type { Workflow } from "../graph/document";
import { addressOf, type Run, type RunState } from "./run";

/** What a node does in the run that is shown. */
export interface NodeRun {
  readonly state: RunState;
  /** Between 0 and 1, while it runs. */
  readonly progress?: number;
  /** Address of its last picture or live preview, small enough to be drawn on the node. */
  readonly picture?: string;
  /** Addresses of the pictures that it delivered last, the newest first; not there for fewer than two. */
  readonly results?: readonly string[];
  /** How long it took. */
  readonly seconds?: number;
}

export type NodeRuns = Readonly<Record<string, NodeRun>>;

export interface Drawing {
  readonly run: Run | null;
  readonly job: Job | null;
  /** What was run. */
  readonly document: Workflow;
  /** What a run of the document as it is now would do; null if that is not known. */
  readonly plan: Plan | null;
  readonly pictures: ReadonlyMap<string, string>;
  /** The jobs of the tab, the newest first, with what they ran. */
  readonly past: readonly { readonly job: Job; readonly document: Workflow }[];
}

const THUMBNAIL = 320;
/** So many results stay on a node. */
const RESULTS = 5;

/** The nodes' states; a node that is as it was `before` keeps its identity. */
export function drawn(drawing: Drawing, before: NodeRuns): NodeRuns {
  const { run, job, document, plan } = drawing;
  const planned = plannedStates(plan, document);
  const isActive = job !== null && (job.state === "queued" || job.state === "running");
  const last = [...resultsOf(job, document)].map(
    ([address, urls]) => [address, small(urls[0])] as const,
  );
  const pictures = new Map([...drawing.pictures, ...last]);
  const results = lastResults(drawing.past);
  const after: Record<string, NodeRun> = {};
  for (const address of new Set([
    ...(run?.nodes.keys() ?? []),
    ...planned.keys(),
    ...pictures.keys(),
    ...results.keys(),
  ])) {
    const step = run?.nodes.get(address);
    const state = shown(step?.state, planned.get(address), isActive);
    const picture = pictures.get(address);
    const made = results.get(address);
    const node: NodeRun = {
      state,
      ...(state === "running" && step && step.total > 0 && { progress: step.done / step.total }),
      ...(picture !== undefined && { picture }),
      ...(made !== undefined && made.length > 1 && { results: made }),
      ...(state === "done" && step && step.seconds > 0 && { seconds: step.seconds }),
    };
    const old = before[address];
    after[address] = old !== undefined && isSame(old, node) ? old : node;
  }
  return after;
}

/** A result that an edit made void is not shown any more; one that is stored is, also before a run. */
function shown(
  ran: RunState | undefined,
  planned: "stored" | "run" | undefined,
  isActive: boolean,
): RunState {
  if (isActive)
    return ran ?? (planned === "stored" ? "cached" : planned === "run" ? "queued" : "idle");
  if (ran === "error") return "error";
  if (ran === undefined) return planned === "stored" ? "cached" : "idle";
  return planned === "run" ? "idle" : ran;
}

function plannedStates(plan: Plan | null, document: Workflow): Map<string, "stored" | "run"> {
  const states = new Map<string, "stored" | "run">();
  for (const [place, node] of Object.entries(plan?.nodes ?? {})) {
    const address = addressOf(place, document);
    for (const outer of [...outersOf(address), address]) {
      if (node.state === "run" || !states.has(outer)) {
        states.set(outer, node.state === "run" ? "run" : "stored");
      }
    }
  }
  return states;
}

const outersOf = (address: string): string[] => {
  const parts = address.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
};

/** The pictures that each output node delivered, by the node's address, the last one first. */
function resultsOf(job: Job | null, document: Workflow): Map<string, readonly string[]> {
  const pictures = new Map<string, readonly string[]>();
  for (const [name, output] of Object.entries(job?.outputs ?? {})) {
    const files = [
      ...(output.files ?? []),
      ...(output.cells ?? []).flatMap((cell) => cell.files ?? []),
    ].filter((file) => file.media_type.startsWith("image/"));
    if (files.length === 0) continue;
    const node = Object.hasOwn(document.outputs, name) ? document.outputs[name]?.node : undefined;
    pictures.set(node ?? addressOf(name, document), files.map(({ url }) => url).toReversed());
  }
  return pictures;
}

/** The last pictures of each output node over some jobs. */
function lastResults(past: Drawing["past"]): Map<string, readonly string[]> {
  const results = new Map<string, readonly string[]>();
  for (const { job, document } of past)
    for (const [address, urls] of resultsOf(job, document))
      results.set(address, [...(results.get(address) ?? []), ...urls].slice(0, RESULTS));
  return results;
}

const small = (url = ""): string => `${url}?thumbnail=${THUMBNAIL}`;

const isSame = (a: NodeRun, b: NodeRun): boolean =>
  a.state === b.state &&
  a.progress === b.progress &&
  a.picture === b.picture &&
  a.results?.join() === b.results?.join() &&
  a.seconds === b.seconds;

/** How much of a run is done, between 0 and 1: by seconds where they are known, else by nodes. */
export function fractionOf(run: Run, plan: Plan | null, document: Workflow): number {
  const weights = new Map<string, number>();
  const known = Object.values(plan?.nodes ?? {}).flatMap((node) => node.seconds ?? []);
  const usual = known.length > 0 ? known.reduce((a, b) => a + b) / known.length : 1;
  for (const [place, node] of Object.entries(plan?.nodes ?? {})) {
    if (node.state !== "run") continue;
    const address = addressOf(place, document);
    weights.set(address, (weights.get(address) ?? 0) + Math.max(node.seconds ?? usual, 0.01));
  }
  if (plan === null) for (const id of Object.keys(document.nodes)) weights.set(id, 1);
  let all = 0;
  let done = 0;
  for (const [address, weight] of weights) {
    const step = run.nodes.get(address);
    all += weight;
    if (step?.state === "done" || step?.state === "cached") done += weight;
    else if (step?.state === "running" && step.total > 0) done += (weight * step.done) / step.total;
  }
  return all === 0 ? 0 : done / all;
}
