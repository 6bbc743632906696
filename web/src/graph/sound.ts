/** The view of a graph as it can be drawn. What is broken in it is put aside, and stays in the file. */

import { isList, isObject, type Json, type JsonObject, numberOf } from "./json";
import { at, entriesOf, has, tableOf } from "./tables";

/** The key of a view under which stands what could not be read, each thing with the place it had. */
const ASIDE = "unread";

type Test = (value: Json | undefined) => boolean;

const isText: Test = (value) => typeof value === "string";
const isNumber: Test = (value) => value !== undefined && numberOf(value) !== null;
const maybe =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);

const box = { x: isNumber, y: isNumber, width: isNumber, height: isNumber };
const lists: Readonly<Record<string, Readonly<Record<string, Test>>>> = {
  groups: { id: isText, title: isText, colour: maybe(isText), ...box },
  notes: { id: isText, text: isText, ...box },
  reroutes: { id: isText, node: isText, input: isText, x: isNumber, y: isNumber },
};
const place: Readonly<Record<string, Test>> = {
  x: maybe(isNumber),
  y: maybe(isNumber),
  width: maybe(isNumber),
  height: maybe(isNumber),
  title: maybe(isText),
};

/** The view with what is broken put aside; itself if nothing is. */
export function soundView(view: Json): JsonObject {
  if (!isObject(view)) return { [ASIDE]: [{ value: view }] };
  const aside: Json[] = [];
  const parts = entriesOf(view).flatMap(([key, part]): [string, Json][] => {
    const tests = at(lists, key);
    const sound =
      key === "nodes"
        ? soundPlaces(part, aside)
        : tests === undefined
          ? part
          : soundList(key, part, tests, aside);
    return sound === undefined ? [] : [[key, sound]];
  });
  if (aside.length === 0) return view;
  const before = isList(view[ASIDE]) ? view[ASIDE] : [];
  return tableOf<Json>([...parts.filter(([key]) => key !== ASIDE), [ASIDE, [...before, ...aside]]]);
}

function soundList(
  key: string,
  part: Json,
  tests: Readonly<Record<string, Test>>,
  aside: Json[],
): Json | undefined {
  if (!isList(part)) {
    aside.push({ in: key, value: part });
    return undefined;
  }
  const isSound = (item: Json) =>
    isObject(item) && Object.entries(tests).every(([name, test]) => test(at(item, name)));
  for (const item of part) if (!isSound(item)) aside.push({ in: key, value: item });
  return part.filter(isSound);
}

function soundPlaces(part: Json, aside: Json[]): Json | undefined {
  if (!isObject(part)) {
    aside.push({ in: "nodes", value: part });
    return undefined;
  }
  return tableOf<Json>(
    entriesOf(part).flatMap(([node, each]): [string, Json][] => {
      if (!isObject(each)) {
        aside.push({ in: "nodes", node, value: each });
        return [];
      }
      const broken = Object.entries(place).filter(([key, test]) => !test(at(each, key)));
      if (broken.length === 0) return [[node, each]];
      const names = new Set(broken.map(([key]) => key));
      const part = (isBroken: boolean) =>
        tableOf(entriesOf(each).filter(([key]) => names.has(key) === isBroken));
      aside.push({ in: "nodes", node, value: part(true) });
      return [[node, part(false)]];
    }),
  );
}

/** How many things of a graph and the graphs in it were put aside. */
export function unreadIn(graph: JsonObject): number {
  const { view, subgraphs } = graph;
  const aside = isObject(view) && has(view, ASIDE) ? view[ASIDE] : undefined;
  const inner = isObject(subgraphs) ? entriesOf(subgraphs) : [];
  return inner.reduce(
    (count, [, each]) => count + (isObject(each) ? unreadIn(each) : 0),
    isList(aside) ? aside.length : 0,
  );
}
