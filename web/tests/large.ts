/** Large workflows, put together from whatever node types the server has. */

export interface NodeTypes {
  readonly nodes: Readonly<Record<string, TypeShape>>;
}

interface TypeShape {
  readonly version: number;
  readonly inputs: { readonly properties: Readonly<Record<string, InputShape>> };
  readonly outputs: Readonly<Record<string, string>>;
}

interface InputShape {
  /** What alone may stand there: a wire that carries this. */
  readonly link?: string;
  readonly files?: string;
}

export interface Document {
  readonly darkroom: 1;
  readonly name: string;
  readonly nodes: Record<
    string,
    { type: string; version: number; inputs: Record<string, unknown> }
  >;
  readonly view: { readonly nodes: Record<string, { x: number; y: number }> };
}

interface Wanted {
  readonly nodes: number;
  readonly wires: number;
  /** File names of pictures, each for a node of its own. */
  readonly pictures?: readonly string[];
}

/** A workflow with so many nodes and wires, and with pictures where nodes name one. */
export function largeWorkflow({ nodes: types }: NodeTypes, wanted: Wanted): Document {
  const document: Document = { darkroom: 1, name: "Large", nodes: {}, view: { nodes: {} } };
  const pictures = [...(wanted.pictures ?? [])];
  const wired = Object.keys(types).filter((name) => linksOf(types[name]).length > 0);
  const showing = Object.keys(types).filter((name) => picturesOf(types[name]).length > 0);
  const given = new Map<string, [string, string][]>();
  let wires = 0;
  for (let number = 0; number < wanted.nodes; number++) {
    const picture = pictures.pop();
    const names = picture === undefined ? wired : showing;
    const name = names[number % names.length] ?? "";
    const type = types[name];
    if (type === undefined) throw new Error("The server has no such node type.");
    const id = `n${number}`;
    const inputs: Record<string, unknown> = {};
    for (const input of picture === undefined ? [] : picturesOf(type)) inputs[input] = picture;
    for (const [input, kind] of linksOf(type)) {
      const from = pick(given.get(kind) ?? [], number);
      if (from === undefined || wires >= wanted.wires) continue;
      inputs[input] = { $link: from };
      wires += 1;
    }
    document.nodes[id] = { type: name, version: type.version, inputs };
    document.view.nodes[id] = place(number, wanted.nodes);
    for (const [output, kind] of Object.entries(type.outputs)) {
      given.set(kind, [...(given.get(kind) ?? []), [id, output]]);
    }
  }
  return document;
}

/** How many wires a workflow has. */
export function wiresOf(document: Document): number {
  return Object.values(document.nodes)
    .flatMap((node) => Object.values(node.inputs))
    .filter((value) => typeof value === "object" && value !== null && "$link" in value).length;
}

/** The same types again under other names, until there are so many. */
export function manyTypes(told: NodeTypes, count: number): NodeTypes {
  const nodes = { ...told.nodes };
  const all = Object.entries(told.nodes);
  for (let number = 0; Object.keys(nodes).length < count; number++) {
    const [name, type] = all[number % all.length] ?? ["", undefined];
    if (type === undefined) throw new Error("The server has no node types.");
    nodes[`${name}${number}`] = type;
  }
  return { ...told, nodes };
}

function linksOf(type: TypeShape | undefined): (readonly [string, string])[] {
  return Object.entries(type?.inputs.properties ?? {}).flatMap(([name, { link }]) =>
    link === undefined ? [] : [[name, link] as const],
  );
}

function picturesOf(type: TypeShape | undefined): string[] {
  const inputs = Object.entries(type?.inputs.properties ?? {});
  return inputs.filter(([, input]) => input.files === "images").map(([name]) => name);
}

/** One of them, spread so that wires go near and far. */
function pick(given: readonly [string, string][], seed: number): [string, string] | undefined {
  return given[(seed * 7919) % Math.max(given.length, 1)];
}

function place(number: number, count: number): { x: number; y: number } {
  const columns = Math.ceil(Math.sqrt(count));
  return { x: (number % columns) * 320, y: Math.floor(number / columns) * 420 };
}
