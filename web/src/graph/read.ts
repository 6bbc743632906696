/** Workflows from text and to text, in the form in which the server saves them. */

import type { Workflow } from "./document";
import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  numberOf,
  printDocument,
  readJson,
} from "./json";
import { soundView } from "./sound";
import { entriesOf, has, mapTable, tableOf } from "./tables";

/** One thing that keeps a JSON value from being a workflow. `graph` is the path of subgraphs. */
export interface Fault {
  readonly code:
    | "not_a_workflow"
    | "newer_format"
    | "not_a_table"
    | "not_a_text"
    | "no_type"
    | "bad_version"
    | "bad_mode"
    | "bad_end"
    | "bad_value"
    | "too_deep";
  readonly graph: readonly string[];
  readonly name?: string;
  readonly node?: string;
}

/** A JSON value is not a workflow; `faults` says why, all at once. */
export class DocumentError extends Error {
  constructor(readonly faults: readonly Fault[]) {
    super(
      faults
        .map((fault) => [fault.code, ...fault.graph, fault.node, fault.name].join(" "))
        .join("; "),
    );
    this.name = "DocumentError";
  }
}

const FORMAT = 1;
const MAX_DEPTH = 100;

/** The workflow in a text. Throws `JsonError` or `DocumentError`. */
export function readWorkflow(text: string): Workflow {
  return workflowFrom(readJson(text));
}

/** The workflow in a JSON value, in canonical order. Throws `DocumentError`. */
export function workflowFrom(document: Json): Workflow {
  const faults: Fault[] = [];
  const whole = new Form(faults).workflow(document);
  if (faults.length > 0 || !isWorkflow(whole)) throw new DocumentError(faults);
  return whole;
}

/** The text of a workflow's file: byte for byte what the server writes. */
export function printWorkflow(workflow: Workflow): string {
  return printDocument(workflowFrom(workflow));
}

// `Form` has gone through every part before this is asked.
function isWorkflow(value: Json): value is Workflow {
  return isObject(value) && has(value, "darkroom");
}

/** Puts a document into canonical order and collects what is wrong with it. */
class Form {
  constructor(
    private readonly faults: Fault[],
    private readonly path: readonly string[] = [],
  ) {}

  workflow(document: Json): Json {
    if (!isObject(document) || !has(document, "darkroom")) {
      this.wrong({ code: "not_a_workflow" });
      return document;
    }
    const version = numberOf(document["darkroom"]);
    if (version !== FORMAT) {
      this.wrong({
        code: version !== null && version > FORMAT ? "newer_format" : "not_a_workflow",
      });
    }
    const name = this.text(document, "name");
    return { darkroom: FORMAT, name, ...this.body(document) };
  }

  private body(graph: JsonObject): JsonObject {
    if (this.path.length > MAX_DEPTH) {
      this.wrong({ code: "too_deep" });
      return graph;
    }
    const { inputs, outputs, nodes, subgraphs } = graph;
    const inner = mapTable(this.table(subgraphs, "subgraphs"), (each, name) =>
      new Form(this.faults, [...this.path, name]).subgraph(each),
    );
    const known = new Set(["darkroom", "name", "inputs", "outputs", "nodes", "subgraphs"]);
    // The server takes any view; the editor has to be able to draw it.
    const rest = entriesOf(graph)
      .filter(([key]) => !known.has(key))
      .map(([key, part]): [string, Json] => [key, key === "view" ? soundView(part) : part]);
    return tableOf<Json>([
      [
        "inputs",
        mapTable(this.table(inputs, "inputs"), (end, name) => this.end(end, "input", name)),
      ],
      [
        "outputs",
        mapTable(this.table(outputs, "outputs"), (end, name) => this.end(end, "output", name)),
      ],
      ["nodes", mapTable(this.table(nodes, "nodes"), (node, id) => this.node(node, id))],
      ...(Object.keys(inner).length > 0 ? [["subgraphs", inner] as const] : []),
      ...rest,
    ]);
  }

  subgraph(graph: Json): Json {
    if (!isObject(graph)) {
      this.wrong({ code: "not_a_table" });
      return graph;
    }
    const name = this.text(graph, "name");
    return { ...(name === "" ? {} : { name }), ...this.body(graph) };
  }

  private node(node: Json, id: string): Json {
    const type = isObject(node) ? node["type"] : undefined;
    if (!isObject(node) || typeof type !== "string") {
      this.wrong({ code: "no_type", node: id });
      return node;
    }
    const version = node["version"] ?? 1;
    const mode = node["mode"] ?? "normal";
    if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
      this.wrong({ code: "bad_version", node: id });
    }
    if (mode !== "normal" && mode !== "mute" && mode !== "bypass") {
      this.wrong({ code: "bad_mode", node: id });
    }
    const inputs = mapTable(this.table(node["inputs"], "inputs", id), (value, name) => {
      const read = canonicalValue(value, MAX_DEPTH);
      if (read === null) this.wrong({ code: "bad_value", node: id, name });
      return read?.value ?? value;
    });
    const known = new Set(["type", "version", "mode", "inputs"]);
    return tableOf<Json>([
      ["type", type],
      ["version", version],
      ...(mode === "normal" ? [] : [["mode", mode] as const]),
      ["inputs", inputs],
      ...entriesOf(node).filter(([key]) => !known.has(key)),
    ]);
  }

  private end(end: Json, role: "input" | "output", name: string, isFirst = true): Json {
    const inner = isObject(end) ? end : {};
    const also = isFirst && role === "input" ? (inner["also"] ?? []) : [];
    if (typeof inner["node"] !== "string" || typeof inner[role] !== "string" || !isList(also)) {
      this.wrong({ code: "bad_end", name });
      return end;
    }
    const known = new Set(["node", role, ...(isFirst && role === "input" ? ["also"] : [])]);
    const further = also.map((each) => this.end(each, role, name, false));
    return tableOf<Json>([
      ["node", inner["node"]],
      [role, inner[role]],
      ...(further.length > 0 ? [["also", further] as const] : []),
      ...entriesOf(inner).filter(([key]) => !known.has(key)),
    ]);
  }

  private text(table: JsonObject, name: string): string {
    const value = table[name] ?? "";
    if (typeof value === "string") return value;
    this.wrong({ code: "not_a_text", name });
    return "";
  }

  private table(value: Json | undefined, name: string, node?: string): JsonObject {
    if (value === undefined) return {};
    if (isObject(value)) return value;
    this.wrong({ code: "not_a_table", name, ...(node === undefined ? {} : { node }) });
    return {};
  }

  private wrong(fault: Omit<Fault, "graph">): void {
    this.faults.push({ ...fault, graph: this.path });
  }
}

/** The value as the server writes it; null for what starts like a link, range or axis and is none. */
function canonicalValue(value: Json, depth: number): { readonly value: Json } | null {
  if (depth < 0) return null;
  if (isList(value)) {
    const items = value.map((item) => canonicalValue(item, depth - 1));
    const read = items.flatMap((item) => (item === null ? [] : [item.value]));
    if (read.length < items.length) return null;
    return { value: read.every((item, index) => item === value[index]) ? value : read };
  }
  if (!isObject(value)) return { value };
  const mark = Object.keys(value).find((key) => key.startsWith("$"));
  if (mark === "$axis") return depth < MAX_DEPTH ? null : canonicalAxis(value, depth);
  if (mark === "$range") return canonicalRange(value);
  if (mark !== undefined) return isLinkForm(value) ? { value } : null;
  const faulty: string[] = [];
  const read = mapTable(value, (item, key) => {
    const inner = canonicalValue(item, depth - 1);
    if (inner === null) faulty.push(key);
    return inner?.value ?? item;
  });
  return faulty.length === 0 ? { value: read } : null;
}

function isLinkForm(value: JsonObject): boolean {
  const link = value["$link"];
  const isPair =
    isList(link) && link.length === 2 && link.every((part) => typeof part === "string");
  return isPair && Object.keys(value).length === 1;
}

function canonicalAxis(value: JsonObject, depth: number): { readonly value: Json } | null {
  const name = value["name"] ?? null;
  const inner = canonicalValue(value["$axis"] ?? null, depth - 1)?.value;
  const isNamed = name === null || typeof name === "string";
  const isAlone = Object.keys(value).every((key) => key === "$axis" || key === "name");
  if (!isNamed || !isAlone || inner === undefined) return null;
  if (!isList(inner) && !(isObject(inner) && has(inner, "$range"))) return null;
  return { value: name === null ? { $axis: inner } : { $axis: inner, name } };
}

function canonicalRange(value: JsonObject): { readonly value: Json } | null {
  const body = value["$range"];
  if (!isObject(body) || Object.keys(value).length !== 1) return null;
  const known = ["from", "to", "count", "step"];
  const isNumbers = entriesOf(body).every(
    ([key, each]) => known.includes(key) && numberOf(each) !== null,
  );
  if (!isNumbers || !has(body, "from") || has(body, "to") === has(body, "count")) return null;
  if (has(body, "count") && typeof body["count"] !== "number") return null;
  const entries = known.flatMap((key): [string, Json][] => {
    const each = body[key];
    return each === undefined || (key === "step" && numberOf(each) === 1) ? [] : [[key, each]];
  });
  return { value: { $range: tableOf(entries) } };
}
