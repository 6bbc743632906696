/** Workflows for journeys, small enough that a run takes seconds. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { Darkroom } from "./darkroom";

export interface Document {
  readonly darkroom: 1;
  name: string;
  nodes: Record<string, { type: string; inputs: Record<string, unknown> }>;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** A workflow that comes with Darkroom, in two steps of sampling. */
export function shipped(name: string, steps = 2): Document {
  const file = resolve(import.meta.dirname, "../../workflows", `${name}.json`);
  const document = JSON.parse(readFileSync(file, "utf8")) as Document;
  const sampler = document.nodes["sampler"];
  if (sampler !== undefined) sampler.inputs["steps"] = steps;
  return document;
}

/** A workflow of toys: one node, and what it gives. */
export function toy(name: string, type: string, inputs: Record<string, unknown>): Document {
  return {
    darkroom: 1,
    name,
    nodes: { only: { type, inputs } },
    outputs: { result: { node: "only", output: "value" } },
  };
}

export function dataFile(name: string): string {
  return readFileSync(join(import.meta.dirname, "data", name), "utf8");
}

export interface JobTold {
  readonly id: string;
  readonly state: string;
  readonly outputs: Readonly<Record<string, { readonly files?: readonly { url: string }[] }>>;
}

/** Run a document beside the page. */
export const submit = (server: Darkroom, document: Document, wait = 0): Promise<JobTold> =>
  server.ask<JobTold>("POST", `/api/v1/jobs?wait=${wait}`, { document });

/** Save a document beside the page, over anything. */
export async function save(server: Darkroom, name: string, document: Document): Promise<void> {
  const put = (header: Record<string, string>) =>
    fetch(`${server.url}/api/v1/workflows/${name}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", ...header },
      body: JSON.stringify(document),
    });
  const first = await put({ "If-None-Match": "*" });
  const answer = first.status === 412 ? await put({ "If-Match": "*" }) : first;
  if (!answer.ok) throw new Error(`${name} is not saved: ${await answer.text()}`);
}

/** Let go of complaints that are what the journey is about: answers with a status, to requests of one kind. */
export function expectRefusals(complaints: string[], status: number, path: string): void {
  const others = complaints.filter((each) => !each.includes(`${status}`) || !each.includes(path));
  complaints.splice(0, complaints.length, ...others);
}
