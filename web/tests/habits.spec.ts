/** What hands do on the canvas, one habit a test, over the toy nodes. */

import type { Locator, Page } from "@playwright/test";

import type { Editor } from "./editor";
import { expect, test } from "./fixtures";

interface Whole {
  readonly nodes: Record<string, { type: string; inputs: Record<string, unknown>; mode?: string }>;
  readonly view: {
    readonly nodes: Record<string, { x: number; y: number; width?: number }>;
    readonly reroutes?: readonly { x: number; y: number }[];
    readonly notes?: readonly { text: string }[];
  };
}

/** Three sums in a row, the third one apart from the wire between the first two. */
const sums = {
  darkroom: 1,
  name: "Sums",
  nodes: {
    one: { type: "Add", version: 1, inputs: { a: 1, b: 2 } },
    two: { type: "Add", version: 1, inputs: { a: { $link: ["one", "value"] }, b: 3 } },
    loose: { type: "Add", version: 1, inputs: { a: 4, b: 5 } },
  },
  view: {
    nodes: {
      one: { x: 0, y: 0 },
      two: { x: 620, y: 0 },
      loose: { x: 310, y: 260 },
    },
  },
};

async function openSums(editor: Editor, settings: object = {}): Promise<void> {
  await editor.page.addInitScript((wanted) => {
    localStorage["darkroom.settings"] ??= JSON.stringify({
      sideOpen: false,
      start: { kind: "blank" },
      ...wanted,
    });
  }, settings);
  await editor.open();
  if ("start" in settings)
    await expect(editor.page.locator("[data-node-id]").first()).toBeVisible();
  await editor.drop("sums.json", JSON.stringify(sums));
  await expect(editor.node("two")).toBeVisible();
  await editor.page.waitForTimeout(400); // the view comes to rest
}

const whole = async (editor: Editor): Promise<Whole> =>
  (await editor.exported()) as unknown as Whole;

const linkOf = async (editor: Editor, node: string, input = "a"): Promise<unknown> =>
  ((await whole(editor)).nodes[node]?.inputs[input] as { $link?: unknown } | undefined)?.$link;

async function middle(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error(`${String(locator)} is not in sight`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Between the two ends of the wire. */
async function onWire(editor: Editor): Promise<{ x: number; y: number }> {
  const from = await middle(editor.port(editor.node("one"), "out", "value"));
  const to = await middle(editor.port(editor.node("two"), "in", "a"));
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
}

async function drag(page: Page, from: { x: number; y: number }, to: { x: number; y: number }) {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  // What is dragged follows from where the drag is known as one.
  await page.mouse.move(from.x, from.y + 2);
  await page.mouse.move(from.x, from.y + 4);
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
}

const head = (editor: Editor, id: string): Promise<{ x: number; y: number }> =>
  middle(editor.node(id).locator(".node-title"));

for (const scale of [1, 1.5]) {
  test(`a bend is added to a wire, moved and taken away at scale ${scale}`, async ({
    toyEditor: editor,
    page,
  }) => {
    await openSums(editor, { scale });
    const at = await onWire(editor);
    await page.mouse.dblclick(at.x, at.y);
    await expect.poll(async () => (await whole(editor)).view.reroutes?.length).toBe(1);
    const dot = page.locator(".react-flow__node-reroute");
    const before = await middle(dot);
    expect(Math.hypot(before.x - at.x, before.y - at.y)).toBeLessThan(6);
    const to = { x: at.x + 20, y: at.y - 60 };
    await drag(page, before, to);
    await expect
      .poll(async () => {
        const now = await middle(dot);
        return Math.hypot(now.x - to.x, now.y - to.y);
      })
      .toBeLessThan(12); // it comes to rest on the grid
    await page.keyboard.press("Delete");
    await expect(dot).toHaveCount(0);
    expect(await linkOf(editor, "two")).toEqual(["one", "value"]);
  });
}

test("a stroke with Y held cuts wires, in one step", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const at = await onWire(editor);
  await page.mouse.move(at.x, at.y - 60);
  await page.keyboard.down("y");
  await drag(page, { x: at.x, y: at.y - 60 }, { x: at.x, y: at.y + 60 });
  await page.keyboard.up("y");
  await expect.poll(() => linkOf(editor, "two")).toBeUndefined();
  await page.keyboard.press("Control+z");
  await expect.poll(() => linkOf(editor, "two")).toEqual(["one", "value"]);
});

test("a note is written, undone and removed", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const at = await onWire(editor);
  await page.mouse.move(at.x, at.y + 300);
  await page.keyboard.press("Shift+N");
  await page.getByRole("textbox", { name: "Note" }).fill("Mind the sums");
  await page.keyboard.press("Escape");
  await expect.poll(async () => (await whole(editor)).view.notes?.[0]?.text).toBe("Mind the sums");
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await whole(editor)).view.notes?.[0]?.text).toBe("");
});

test("a node dropped on a wire goes into it", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  await drag(page, await head(editor, "loose"), await onWire(editor));
  await expect.poll(() => linkOf(editor, "loose")).toEqual(["one", "value"]);
  expect(await linkOf(editor, "two")).toEqual(["loose", "value"]);
  await page.keyboard.press("Control+z");
  await expect.poll(() => linkOf(editor, "two")).toEqual(["one", "value"]);
  expect((await whole(editor)).view.nodes["loose"]).toEqual({ x: 310, y: 260 });
});

test("a node is copied by Alt and drag", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const from = await head(editor, "two");
  await page.keyboard.down("Alt");
  await drag(page, from, { x: from.x, y: from.y + 200 });
  await page.keyboard.up("Alt");
  await expect.poll(async () => Object.keys((await whole(editor)).nodes).length).toBe(4);
  const { nodes, view } = await whole(editor);
  expect(view.nodes["two"]).toEqual({ x: 620, y: 0 });
  const copy = Object.keys(nodes).find((id) => !(id in sums.nodes)) ?? "";
  expect(nodes[copy]?.inputs["a"]).toEqual({ $link: ["one", "value"] });
  expect(view.nodes[copy]?.y).toBeGreaterThan(100);
});

test("nodes are aligned and distributed by keys", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  await page.mouse.move(...(Object.values(await onWire(editor)) as [number, number]));
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Alt+Shift+ArrowUp");
  await expect.poll(async () => (await whole(editor)).view.nodes["loose"]?.y).toBe(0);
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Alt+Shift+ArrowLeft");
  await expect.poll(async () => (await whole(editor)).view.nodes["two"]?.x).toBe(0);
  await page.keyboard.press("Shift+V");
  await expect.poll(async () => (await whole(editor)).view.nodes["loose"]?.y).toBeGreaterThan(100);
});

test("a pinned node stays where it is", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const from = await head(editor, "loose");
  await page.mouse.click(from.x, from.y);
  await page.keyboard.press("p");
  await expect(editor.node("loose")).toHaveAttribute("data-pinned", "true");
  await drag(page, from, { x: from.x + 80, y: from.y + 80 });
  expect((await whole(editor)).view.nodes["loose"]).toMatchObject({ x: 310, y: 260 });
  await page.keyboard.press("p");
  await drag(page, from, { x: from.x + 80, y: from.y + 80 });
  expect((await whole(editor)).view.nodes["loose"]).not.toMatchObject({ x: 310, y: 260 });
});

test("a node is replaced and keeps its wires", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const from = await head(editor, "one");
  await page.mouse.click(from.x, from.y);
  await page.keyboard.press("Shift+R");
  await page.keyboard.type("slow");
  await page.keyboard.press("Enter");
  await expect(editor.nodesOf("Slow")).toHaveCount(1);
  const link = (await linkOf(editor, "two")) as string[];
  expect((await whole(editor)).nodes[link[0] ?? ""]?.type).toBe("Slow");
});

test("a wire is made by two clicks", async ({ toyEditor: editor }) => {
  await openSums(editor);
  await editor.port(editor.node("two"), "out", "value").click();
  await editor.port(editor.node("loose"), "in", "a").click();
  await expect.poll(() => linkOf(editor, "loose")).toEqual(["two", "value"]);
});

test("a key is chosen anew, works, and is given back", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const from = await head(editor, "loose");
  await page.keyboard.press("Control+Shift+K");
  const keys = page.getByRole("dialog", { name: "Keys" });
  await keys.getByRole("searchbox").or(keys.getByRole("textbox")).fill("mute");
  await keys.getByRole("button", { name: /Key of “Mute”/ }).click();
  await page.keyboard.press("Shift+Q");
  await page.keyboard.press("Escape");
  await expect(keys).toHaveCount(0);
  await page.mouse.click(from.x, from.y);
  await page.keyboard.press("Shift+Q");
  await expect(editor.node("loose")).toHaveAttribute("data-mode", "mute");
  await page.keyboard.press("Control+m");
  await expect(editor.node("loose")).toHaveAttribute("data-mode", "mute");
});

test("Ctrl+Z undoes the text first and then the graph", async ({ toyEditor: editor, page }) => {
  await openSums(editor, { sideOpen: true, side: "inspect" });
  await editor.drop(
    "text.json",
    JSON.stringify({
      darkroom: 1,
      name: "Text",
      nodes: { say: { type: "Write", version: 1, inputs: { text: "begun" } } },
      view: { nodes: { say: { x: 0, y: 0 } } },
    }),
  );
  const at = await head(editor, "say");
  await page.mouse.click(at.x, at.y);
  await page.keyboard.press("Control+m");
  await expect(editor.node("say")).toHaveAttribute("data-mode", "mute");
  const box = page.getByRole("textbox", { name: /^Write, text$/i }).first();
  await box.click();
  await page.keyboard.press("End");
  await page.keyboard.type(" and ended");
  await expect
    .poll(async () => (await whole(editor)).nodes["say"]?.inputs["text"])
    .toBe("begun and ended");
  for (let press = 0; press < 12; press++) {
    await page.keyboard.press("Control+z");
    if ((await whole(editor)).nodes["say"]?.inputs["text"] === "begun") break;
  }
  expect((await whole(editor)).nodes["say"]?.inputs["text"]).toBe("begun");
  await expect(editor.node("say")).toHaveAttribute("data-mode", "mute");
  await page.keyboard.press("Control+z");
  await expect(editor.node("say")).toHaveAttribute("data-mode", "normal");
});

test("two windows keep their drafts apart, over reloads too", async ({
  toyEditor: editor,
  page,
  context,
}) => {
  await openSums(editor, { start: { kind: "last" } });
  const other = await context.newPage();
  await other.goto(editor.url);
  await expect(other.locator("[data-node-id]").first()).toBeVisible();
  await expect(other.locator('[data-node-id="loose"]')).toHaveCount(0);
  await other.mouse.move(700, 400);
  await other.keyboard.press("Shift+N");
  await other.keyboard.type("other");
  await other.keyboard.press("Escape");
  await other.waitForTimeout(700); // a draft is written a moment after the change
  await page.reload();
  await other.reload();
  await expect(editor.node("two")).toBeVisible();
  await expect(other.locator(".note")).toHaveText("other");
  await expect(page.locator(".note")).toHaveCount(0);
});

test("a long press opens the menu", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const { x, y } = await head(editor, "loose");
  const touch = { pointerType: "touch", button: 0, clientX: x, clientY: y, bubbles: true };
  await editor.node("loose").locator(".node-title").dispatchEvent("pointerdown", touch);
  await expect(page.getByRole("menuitem", { name: /^Mute/ })).toBeVisible();
});

test("a node is sized by its corner, and by keys", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const at = await head(editor, "loose");
  await page.mouse.click(at.x, at.y);
  const corner = await middle(page.locator(".node-size"));
  await drag(page, corner, { x: corner.x + 80, y: corner.y });
  const width = async (): Promise<number> => (await whole(editor)).view.nodes["loose"]?.width ?? 0;
  await expect.poll(width).toBeGreaterThan(300);
  const before = await width();
  await page.keyboard.press("Alt+]");
  await expect.poll(width).toBe(before + 16);
});

test("wires of a node are hidden until it is selected", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const at = await head(editor, "two");
  await page.mouse.click(at.x, at.y);
  await page.keyboard.press("Shift+W");
  await expect(page.locator(".wire")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(page.locator(".wire")).toHaveCount(0);
});

test("the view follows a wire over its edge", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  const port = await middle(editor.port(editor.node("two"), "out", "value"));
  const canvas = await page.locator(".canvas").boundingBox();
  if (canvas === null) throw new Error("There is no canvas.");
  await page.mouse.move(port.x, port.y);
  await page.mouse.down();
  await page.mouse.move(port.x + 20, port.y, { steps: 3 });
  await page.mouse.move(canvas.x + canvas.width - 4, port.y, { steps: 3 });
  await expect.poll(async () => (await middle(editor.node("two"))).x).toBeLessThan(port.x - 200);
  await page.mouse.up();
});

test("what is found in a subgraph is gone to, and left step by step", async ({
  toyEditor: editor,
  page,
}) => {
  await openSums(editor);
  const at = await head(editor, "loose");
  await page.mouse.click(at.x, at.y);
  await page.keyboard.press("Control+Shift+E");
  await expect(editor.node("loose")).toHaveCount(0);
  await page.keyboard.press("Control+f");
  await page.getByRole("textbox", { name: "Find in the graph" }).fill("loose");
  await page.keyboard.press("Enter");
  await expect(editor.node("loose")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(editor.node("one")).toBeVisible();
  await expect(page.locator("[data-node-id][data-selected]")).toHaveCount(1);
});

test("an empty workflow says that there is nothing to run", async ({ toyEditor: editor, page }) => {
  await openSums(editor);
  await page.keyboard.press("Alt+n");
  await editor.generate.click();
  await expect(page.getByText("There is nothing to run yet: add nodes first.")).toBeVisible();
});
