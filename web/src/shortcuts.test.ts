import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { keyCaps } from "./keys";
import { groups, shortcutFor, shortcuts } from "./shortcuts";
import { say } from "./words";

const GUIDE = new URL("../../docs/editor.md", import.meta.url);
const [BEGIN, END] = ["<!-- keys: written by `npm run shortcuts` -->", "<!-- end of keys -->"];

/** The guide with the table of keys as it is now. */
function withTable(guide: string): string {
  const [before, rest] = guide.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error("The guide has no place for it.");
  const rows = groups.flatMap((group) =>
    shortcuts
      .filter((each) => each.group === group)
      .map(({ title, keys }, index) => [
        index === 0 ? say(`group.${group}`) : "",
        title,
        caps(keys),
      ]),
  );
  const table = [["", "Command", "Keys"], ["---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}

const caps = (keys: readonly string[]): string =>
  keys
    .map((each) =>
      keyCaps(each, false)
        .map((cap) => `\`${cap}\``)
        .join(" + "),
    )
    .join(" or ");

test("the guide's table of keys is current; `npm run shortcuts` renews it", async () => {
  const guide = readFileSync(GUIDE, "utf8");
  await expect(withTable(guide)).toMatchFileSnapshot(GUIDE.pathname);
});

test("no two commands have the same keys", () => {
  const all = shortcuts.flatMap(({ keys }) => keys);
  expect(all.filter((each, index) => all.indexOf(each) !== index)).toEqual([]);
});

test("every command has an id of its own, and words", () => {
  expect(new Set(shortcuts.map(({ id }) => id)).size).toBe(shortcuts.length);
  for (const { id, title, group } of shortcuts) {
    expect(title, id).not.toBe("");
    expect(id.startsWith(`${group}.`), id).toBe(true);
  }
});

test("chosen keys come before a command's own, which then has them no more", () => {
  const [first, second] = shortcuts.filter(({ keys }) => keys.length > 0);
  if (first === undefined || second === undefined) throw new Error("There are no keys.");
  const [keys = ""] = first.keys;
  expect(shortcutFor(keys, {})?.id).toBe(first.id);
  expect(shortcutFor(keys, { [second.id]: [keys], [first.id]: [] })?.id).toBe(second.id);
  expect(shortcutFor(keys, { [first.id]: ["Alt+9"] })).toBeUndefined();
});
