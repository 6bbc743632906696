/** Node types found by a few letters, in any order of words, the likeliest first. */

import type { Catalogue, NodeType } from "./catalogue";
import type { TypeName } from "./ids";
import type { Field } from "./schema";
import type { PortType } from "./types";
import { fitting } from "./wiring";

export interface SearchOptions {
  /** Types lately used, the latest first; they come before equals. */
  readonly recent?: readonly TypeName[];
  readonly pinned?: readonly TypeName[];
  readonly category?: string;
  /** Only types with an input that takes what is dragged, or an output that the input takes. */
  readonly port?:
    | { readonly side: "output"; readonly type: PortType }
    | { readonly side: "input"; readonly type: PortType };
  readonly most?: number;
}

export interface Hit {
  readonly type: NodeType;
  readonly score: number;
  /** Which letters of the name matched. */
  readonly marks: readonly number[];
  readonly isPinned: boolean;
  readonly isRecent: boolean;
}

interface Entry {
  readonly type: NodeType;
  readonly name: string;
  readonly words: string;
  readonly rest: string;
  /** Where words begin in the name. */
  readonly starts: ReadonlySet<number>;
  /** How much of the catalogue has to do with what it gives, from 0 to 1. */
  readonly reach: number;
}

const indexes = new WeakMap<Catalogue, readonly Entry[]>();

/** The types that match every word of a query; all of them for an empty one. */
export function search(catalogue: Catalogue, query: string, options: SearchOptions = {}): Hit[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const pinned = new Set(options.pinned);
  const recent = new Map((options.recent ?? []).map((name, index) => [name, index]));
  const hits: Hit[] = [];
  for (const entry of indexOf(catalogue)) {
    const found = matched(entry, words);
    if (found === null || !isWanted(entry.type, catalogue, options)) continue;
    const { name } = entry.type;
    const [isPinned, place] = [pinned.has(name), recent.get(name)];
    const bonus = (isPinned ? 30 : 0) + (place === undefined ? 0 : 20 / (place + 1));
    const isRecent = place !== undefined;
    hits.push({ type: entry.type, ...found, score: found.score + bonus, isPinned, isRecent });
  }
  hits.sort((a, b) => b.score - a.score || compare(a.type.name, b.type.name));
  return options.most === undefined ? hits : hits.slice(0, options.most);
}

/** The categories of a catalogue, each with the number of its types. */
export function categoriesOf(catalogue: Catalogue): [string, number][] {
  const counts = new Map<string, number>();
  for (const { category } of catalogue.types.values()) {
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => compare(a, b));
}

/** The port of a type that a dragged wire would go to. */
export function portFor(
  type: NodeType,
  catalogue: Catalogue,
  port: NonNullable<SearchOptions["port"]>,
): string | undefined {
  if (port.side === "output") {
    const fields = type.inputs.filter(
      (each) => fitting(each.type, port.type, catalogue) !== undefined,
    );
    return (fields.find(isSocket) ?? fields[0])?.name;
  }
  return type.outputs.find((each) => fitting(port.type, each.type, catalogue) !== undefined)?.name;
}

function isSocket(field: Field): boolean {
  return field.kind === "link";
}

function isWanted(type: NodeType, catalogue: Catalogue, options: SearchOptions): boolean {
  if (options.category !== undefined && type.category !== options.category) return false;
  return options.port === undefined || portFor(type, catalogue, options.port) !== undefined;
}

function indexOf(catalogue: Catalogue): readonly Entry[] {
  const known = indexes.get(catalogue);
  if (known !== undefined) return known;
  const reaches = reachesOf(catalogue);
  const made = [...catalogue.types.values()].map((type): Entry => {
    const starts = [...type.name.matchAll(/[A-Z]+(?![a-z])|[A-Z]|\d+|^./g)].map(
      ({ index }) => index,
    );
    return {
      type,
      name: type.name.toLowerCase(),
      words: type.name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase(),
      rest: `${type.category} ${type.summary} ${type.formerly.join(" ")}`.toLowerCase(),
      starts: new Set(starts),
      reach: reachOf(type, reaches),
    };
  });
  indexes.set(catalogue, made);
  return made;
}

/** The part of the types that take each type of link: what is met often is looked for often. */
function reachesOf({ types }: Catalogue): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { inputs } of types.values())
    for (const name of new Set(namesOf(inputs.filter(isSocket))))
      counts.set(name, (counts.get(name) ?? 0) + 1 / types.size);
  return counts;
}

/** By what a node gives; by what it takes where that is of use to none. */
function reachOf({ inputs, outputs }: NodeType, reaches: ReadonlyMap<string, number>): number {
  const most = (ports: readonly { readonly type: PortType }[]) =>
    Math.max(0, ...namesOf(ports).map((name) => reaches.get(name) ?? 0));
  return most(outputs) || most(inputs);
}

const namesOf = (ports: readonly { readonly type: PortType }[]): string[] =>
  ports.flatMap(({ type }) => (type.kind === "named" ? [type.name] : []));

function matched(
  entry: Entry,
  words: readonly string[],
): { score: number; marks: number[] } | null {
  let score = 0;
  const marks: number[] = [];
  for (const word of words) {
    const found = matchedWord(entry, word);
    if (found === null) return null;
    score += found.score;
    marks.push(...found.marks);
  }
  return {
    // Of equals the one that is met more often, then the shorter one.
    score: score + 4 * entry.reach - entry.name.length / 100,
    marks: [...new Set(marks)].sort((a, b) => a - b),
  };
}

function matchedWord(entry: Entry, word: string): { score: number; marks: number[] } | null {
  const place = entry.name.indexOf(word);
  if (place >= 0) {
    const marks = Array.from(word, (_, index) => place + index);
    return { score: 100 + wholeness(entry, word, place), marks };
  }
  const initials = subsequence(entry.name, word, entry.starts);
  if (initials !== null) return { score: 60, marks: initials };
  const inRest = entry.rest.indexOf(word);
  if (inRest >= 0) {
    const isHead = inRest === 0 || entry.rest[inRest - 1] === " ";
    // Of few words each says more.
    return { score: (isHead ? 50 : 30) + (10 * word.length) / entry.rest.length, marks: [] };
  }
  const loose = word.length < 3 ? null : subsequence(entry.name, word);
  return loose === null ? null : { score: 40 - spread(loose), marks: loose };
}

/** How well a part of the name is one of its words; the last word says what the thing is. */
function wholeness({ name, starts }: Entry, word: string, place: number): number {
  if (name === word) return 60;
  if (place > 0 && !starts.has(place)) return 0;
  const end = place + word.length;
  const isWhole = end === name.length || starts.has(end);
  if (isWhole) return place === 0 || end === name.length ? 40 : 25;
  return place === 0 ? 30 : 20;
}

/** Where the letters stand in order; with `starts`, gaps may only be jumped to beginnings of words. */
function subsequence(name: string, word: string, starts?: ReadonlySet<number>): number[] | null {
  const marks: number[] = [];
  let from = 0;
  for (const letter of word) {
    let place = name.indexOf(letter, from);
    const isNext = place === from && marks.length > 0;
    if (starts !== undefined && !isNext) {
      while (place >= 0 && !starts.has(place)) place = name.indexOf(letter, place + 1);
    }
    if (place < 0) return null;
    marks.push(place);
    from = place + 1;
  }
  return marks;
}

function spread(marks: readonly number[]): number {
  return (marks.at(-1) ?? 0) - (marks[0] ?? 0) - marks.length + 1;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
