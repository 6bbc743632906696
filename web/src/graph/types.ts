/** Types of values as the server writes them (`list[Image]`), and what may be linked to what. */

export type PortType =
  | { readonly kind: "any" }
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "generic"; readonly name: string; readonly of: readonly PortType[] }
  | { readonly kind: "choice"; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: "union"; readonly of: readonly PortType[] }
  | { readonly kind: "variable"; readonly name: string };

/** Classes by name, each with its bases. */
export type Kinds = ReadonlyMap<string, readonly string[]>;
/** What type variables stand for, filled as links are looked at. */
export type Bindings = Map<string, PortType>;

export const ANY: PortType = { kind: "any" };
const NO_KINDS: Kinds = new Map();

const TOKEN =
  /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d[\d.e+-]*)|([\p{L}_][\p{L}\p{N}_]*)|([[\],|]))/uy;

/** The type that a text of the server's names; `any` for what cannot be read. */
export function readType(text: string, variables: readonly string[] = []): PortType {
  const tokens: RegExpExecArray[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) tokens.push(found);
  const reader = new TypeReader(tokens, variables);
  const type = reader.union();
  return type === null || !reader.isDone ? ANY : type;
}

class TypeReader {
  private place = 0;

  constructor(
    private readonly tokens: readonly RegExpExecArray[],
    private readonly variables: readonly string[],
  ) {}

  get isDone(): boolean {
    return this.place === this.tokens.length;
  }

  union(): PortType | null {
    const members: PortType[] = [];
    do {
      const member = this.member();
      if (member === null) return null;
      members.push(member);
    } while (this.skip("|"));
    return unionOf(members);
  }

  private member(): PortType | null {
    const token = this.tokens[this.place];
    if (token === undefined) return null;
    this.place += 1;
    const [, single, double, digits, name] = token;
    const quoted = single ?? double;
    if (quoted !== undefined) return { kind: "choice", values: [quoted.replace(/\\(.)/g, "$1")] };
    if (digits !== undefined) return { kind: "choice", values: [Number(digits)] };
    if (name === undefined) return null;
    if (name === "True" || name === "False") return { kind: "choice", values: [name === "True"] };
    if (name === "anything") return ANY;
    if (this.variables.includes(name)) return { kind: "variable", name };
    return this.skip("[") ? this.generic(name) : { kind: "named", name };
  }

  private generic(name: string): PortType | null {
    const of: PortType[] = [];
    do {
      const argument = this.union();
      if (argument === null) return null;
      of.push(argument);
    } while (this.skip(","));
    return this.skip("]") ? { kind: "generic", name, of } : null;
  }

  private skip(sign: string): boolean {
    if (this.tokens[this.place]?.[5] !== sign) return false;
    this.place += 1;
    return true;
  }
}

function unionOf(members: readonly PortType[]): PortType {
  const values = members.flatMap((each) => (each.kind === "choice" ? each.values : []));
  const others = members.filter((each) => each.kind !== "choice");
  const all: PortType[] = values.length > 0 ? [...others, { kind: "choice", values }] : others;
  const [first] = all;
  if (all.some((each) => each.kind === "any")) return ANY;
  return all.length === 1 && first !== undefined ? first : { kind: "union", of: all };
}

/** The type as people read it: `Image`, `float`, `list[Image]`. */
export function typeText(type: PortType): string {
  switch (type.kind) {
    case "any":
      return "anything";
    case "named":
    case "variable":
      return type.name;
    case "generic":
      return `${type.name}[${type.of.map(typeText).join(", ")}]`;
    case "choice":
      return type.values.map((value) => JSON.stringify(value)).join(" | ");
    case "union":
      return type.of.map(typeText).join(" | ");
  }
}

/** The name by which a port is drawn: of its elements for a list, `str` for a choice. */
export function mainName(type: PortType): string {
  switch (type.kind) {
    case "any":
      return "anything";
    case "named":
    case "variable":
      return type.name;
    case "generic":
      return mainName(type.of.at(-1) ?? ANY);
    case "choice":
      return literalName(type.values[0] ?? "");
    case "union":
      return mainName(type.of.find((each) => !isNothing(each)) ?? ANY);
  }
}

/**
 * Whether a value of type `given` may go into an input of type `wanted`; the server's rule.
 * A type variable takes the first type that it meets and is noted in `bindings`.
 */
export function accepts(
  wanted: PortType,
  given: PortType,
  kinds: Kinds = NO_KINDS,
  bindings: Bindings = new Map(),
): boolean {
  if (wanted.kind === "any" || given.kind === "any" || given.kind === "variable") return true;
  if (wanted.kind === "variable") {
    const known = bindings.get(wanted.name);
    if (known === undefined) bindings.set(wanted.name, given);
    return accepts(known ?? given, given, kinds, bindings);
  }
  if (given.kind === "union")
    return given.of.every((each) => accepts(wanted, each, kinds, bindings));
  if (wanted.kind === "union")
    return wanted.of.some((each) => accepts(each, given, kinds, bindings));
  if (given.kind === "choice") {
    if (wanted.kind === "choice")
      return given.values.every((value) => wanted.values.includes(value));
    return given.values.every((value) => accepts(wanted, literalType(value), kinds, bindings));
  }
  if (wanted.kind === "choice") {
    return wanted.values.some((value) => accepts(literalType(value), given, kinds, bindings));
  }
  return acceptsClass(wanted, given, kinds, bindings);
}

type Class = Extract<PortType, { kind: "named" | "generic" }>;

function acceptsClass(wanted: Class, given: Class, kinds: Kinds, bindings: Bindings): boolean {
  if (given.name === "bool") return wanted.name === "bool";
  if (wanted.name === "float" && given.name === "int") return true;
  const wantedOf = wanted.kind === "generic" ? wanted.of : [];
  const givenOf = given.kind === "generic" ? given.of : [];
  const pairs = (inner: readonly PortType[]): boolean =>
    wantedOf.every((each, index) => accepts(each, inner[index] ?? ANY, kinds, bindings));
  if (wanted.name === "Grid" && given.name !== "Grid") {
    return pairs(given.name === "list" ? givenOf : [given]);
  }
  const base = wanted.name === "list" && given.name === "Grid" ? "Grid" : wanted.name;
  return isSubclass(given.name, base, kinds) && pairs(givenOf);
}

function isSubclass(
  name: string,
  base: string,
  kinds: Kinds,
  seen: readonly string[] = [],
): boolean {
  if (name === base || base === "object") return true;
  if (base === "Opaque") return kinds.has(name);
  const bases = kinds.get(name) ?? [];
  return bases.some(
    (each) => !seen.includes(each) && isSubclass(each, base, kinds, [...seen, name]),
  );
}

/** The type with its variables replaced by what they stand for; `any` where unknown. */
export function bound(type: PortType, bindings: Bindings): PortType {
  if (type.kind === "variable") return bindings.get(type.name) ?? ANY;
  if (type.kind !== "generic") return type;
  return { ...type, of: type.of.map((each) => bound(each, bindings)) };
}

/** The type of the elements that an input takes one by one: of a list, or of a table by name. */
export function elementOf(type: PortType): PortType | undefined {
  const isContainer = type.kind === "generic" && (type.name === "list" || type.name === "dict");
  return isContainer ? type.of.at(-1) : undefined;
}

export function isNothing(type: PortType): boolean {
  return type.kind === "named" && type.name === "nothing";
}

/** The type of a value that stands in a document. */
export function literalType(value: unknown): PortType {
  return { kind: "named", name: literalName(value) };
}

function literalName(value: unknown): string {
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint" || Number.isInteger(value)) return "int";
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" && !("value" in value) ? "dict" : "float";
}
