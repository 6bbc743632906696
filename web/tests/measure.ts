/** What the editor costs, against its budgets: `npm run measure`. A figure over its budget fails. */

import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { deflateSync } from "node:zlib";

import type { Page } from "@playwright/test";

import type { Darkroom } from "./darkroom";
import type { Editor } from "./editor";
import { expect, test } from "./fixtures";
import { firstPaint, framesDuring, heapOf, quantile } from "./frames";
import { largeWorkflow, manyTypes, wiresOf, type Document, type NodeTypes } from "./large";

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly budget: number;
  readonly unit: string;
}

const figures: Figure[] = [];

function found(what: string, value: number, budget: number, unit: string): void {
  figures.push({ what, value, budget, unit });
  expect.soft(value, `${what}, in ${unit}`).toBeLessThanOrEqual(budget);
}

test.afterAll(() => {
  const rows = figures.map(({ what, value, budget, unit }) => [
    what,
    `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`,
    `${budget} ${unit}`,
    value <= budget ? "" : "over",
  ]);
  const all = [["", "measured", "budget", ""], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
  console.log(`\n${lines.join("\n")}\n`);
});

test("what is loaded first", () => {
  const folder = resolve(import.meta.dirname, "../../server/editor/editor");
  const names = readdirSync(folder);
  const sizes = names.map((name) => {
    const packed = names.includes(`${name}.gz`);
    return name.endsWith(".gz") || !packed ? statSync(join(folder, name)).size : 0;
  });
  const total = sizes.reduce((sum, size) => sum + size, 0);
  found("everything the page is made of, packed", total / 2 ** 20, 1.5, "MiB");
});

test("the first paint", async ({ editor, page }) => {
  const times: number[] = [];
  for (let load = 0; load < 5; load++) {
    await editor.open();
    times.push(await firstPaint(page));
  }
  found("first paint, median of 5 loads", quantile(times, 0.5), 1500, "ms");
});

for (const { nodes, wires, pictures, budget } of [
  { nodes: 500, wires: 800, pictures: 60, budget: 33 },
  { nodes: 2000, wires: 3200, pictures: 60, budget: 66 },
]) {
  test(`${nodes} nodes`, async ({ editor, page, darkroom }) => {
    const names = await sendPictures(darkroom, pictures);
    const told = await darkroom.ask<NodeTypes>("GET", "/api/v1/nodes");
    const document = largeWorkflow(told, { nodes, wires, pictures: names });
    expect(wiresOf(document)).toBe(wires);
    await openLarge(editor, document);
    const begun = `${nodes} nodes, ${wires} wires, ${pictures} pictures`;
    const p95 = async (what: string, work: () => Promise<void>) => {
      const frames = await framesDuring(page, work);
      found(`${begun}: ${what}, 95 % of frames`, quantile(frames, 0.95), budget, "ms");
    };
    await p95("panning", () => pan(page));
    await p95("zooming", () => zoom(page));
    await p95("dragging 20", () => dragTwenty(page));
  });
}

test("searching among 1,000 node types", async ({ editor, page, darkroom }) => {
  const told = manyTypes(await darkroom.ask<NodeTypes>("GET", "/api/v1/nodes"), 1000);
  await page.route("**/api/v1/nodes", (route) => route.fulfill({ json: told }));
  await editor.open();
  await middleOf(page);
  await page.keyboard.press("Space");
  await expect(page.getByRole("option").first()).toBeVisible();
  const times: number[] = [];
  for (const key of "load image") times.push(await keyToResult(page, key));
  found("search, from key to result, the slowest", Math.max(...times), 50, "ms");
});

test("memory over 200 runs with previews", async ({ editor, page }) => {
  const session = await page.context().newCDPSession(page);
  await editor.open("?workflow=text-to-image");
  const run = async (count: number) => {
    for (let number = 0; number < count; number++) {
      await editor.generate.click();
    }
    await expect(page.locator('[data-run-state="running"], [data-run-state="queued"]')).toHaveCount(
      0,
      { timeout: 500_000 },
    );
  };
  await run(20);
  const before = await heapOf(session);
  await run(200);
  found(
    "memory that 200 runs leave behind",
    ((await heapOf(session)) - before) / 2 ** 20,
    20,
    "MiB",
  );
});

async function openLarge(editor: Editor, document: Document): Promise<void> {
  await editor.open();
  await editor.drop("large.json", JSON.stringify(document));
  await expect(editor.page.locator("[data-node-id]").first()).toBeVisible({ timeout: 60_000 });
  const exported = await editor.exported();
  expect(Object.keys(exported.nodes)).toHaveLength(Object.keys(document.nodes).length);
}

async function middleOf(page: Page): Promise<{ x: number; y: number }> {
  const box = await page.locator(".react-flow__pane, [data-canvas]").first().boundingBox();
  if (box === null) throw new Error("There is no canvas.");
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.move(middle.x, middle.y);
  return middle;
}

async function pan(page: Page): Promise<void> {
  const { x, y } = await middleOf(page);
  await page.mouse.down({ button: "middle" });
  for (let step = 0; step < 120; step++) {
    const turn = step / 10;
    await page.mouse.move(x + 250 * Math.sin(turn), y + 150 * Math.cos(turn));
  }
  await page.mouse.up({ button: "middle" });
}

async function zoom(page: Page): Promise<void> {
  await middleOf(page);
  for (let step = 0; step < 80; step++) await page.mouse.wheel(0, step % 40 < 20 ? -60 : 60);
}

async function dragTwenty(page: Page): Promise<void> {
  const nodes = page.locator("[data-node-id]");
  const ids = await nodes.evaluateAll((all) => all.slice(0, 20).map((one) => one.dataset.nodeId));
  const titles = ids.map((id) => page.locator(`[data-node-id="${id ?? ""}"] .node-title`));
  for (const title of titles) await title.click({ modifiers: ["Shift"], force: true });
  const box = await titles[0]?.boundingBox();
  if (box === null || box === undefined) throw new Error("There is nothing to drag.");
  await page.mouse.move(box.x + 10, box.y + 5);
  await page.mouse.down();
  for (let step = 0; step < 120; step++) {
    const turn = step / 10;
    await page.mouse.move(box.x + 10 + 150 * Math.sin(turn), box.y + 5 + 100 * Math.sin(turn / 2));
  }
  await page.mouse.up();
}

/** Milliseconds from a key to the frame that shows what it found. */
async function keyToResult(page: Page, key: string): Promise<number> {
  const shown = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let pressed = 0;
        addEventListener("keydown", (event) => (pressed = event.timeStamp), {
          once: true,
          capture: true,
        });
        addEventListener("input", () =>
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - pressed))),
        );
      }),
  );
  await page.keyboard.press(key === " " ? "Space" : key);
  return shown;
}

/** Upload so many different pictures; their names. */
async function sendPictures(darkroom: Darkroom, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let number = 0; number < count; number++) {
    const answer = await fetch(`${darkroom.url}/api/v1/uploads?name=measure-${number}.png`, {
      method: "POST",
      headers: { "Content-Type": "image/png" },
      body: new Uint8Array(picture(512, number)),
    });
    const told = (await answer.json()) as { name: string };
    names.push(told.name);
  }
  return names;
}

/** A picture as PNG: a square with a gradient that is another one for each seed. */
function picture(side: number, seed: number): Buffer {
  const row = (y: number) =>
    Buffer.from([0, ...Array.from({ length: side * 3 }, (_, i) => (i * (seed + 1) + y * 3) & 255)]);
  const pixels = Buffer.concat(Array.from({ length: side }, (_, y) => row(y)));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const parts = [
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...parts]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(checksum(body), body.length + 4);
  return whole;
}

function checksum(data: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
