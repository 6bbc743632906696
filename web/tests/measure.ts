/** What the editor costs, against its budgets: `npm run measure`. A figure over its budget fails. */

import { readdirSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";

import type { Page } from "@playwright/test";

import { EMPTY_LOG, logText, record } from "../src/graph/log";
import { readWorkflow } from "../src/graph/read";
import { Darkroom } from "./darkroom";
import { Editor } from "./editor";
import { expect, test } from "./fixtures";
import { framesDuring, heapOf, quantile, usableAfter } from "./frames";
import { largeWorkflow, manyTypes, wiresOf, type NodeTypes } from "./large";
import { dragTwenty, middleOf, openLarge, pan, zoom, type Work } from "./measure-work";
import { sendPictures } from "./pictures";
import { FIGURE, type Figure } from "./table";

/** The best of so many counts: what else the machine does is not the page's. */
const TRIES = 3;
const RUNS = 200;

function found(what: string, value: number, budget: number, unit: string): void {
  const load = loadavg()[0] ?? 0;
  // Frames come in whole sixtieths of a second: two of them are 33.3 ms, and told as 33.
  const told = unit === "ms" ? Math.round(value) : value;
  const figure: Figure = { what, value: told, budget, unit, load };
  test.info().annotations.push({ type: FIGURE, description: JSON.stringify(figure) });
  expect.soft(told, `${what}, in ${unit}`).toBeLessThanOrEqual(budget);
}

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

test("the first paint that can be used", async ({ editor, page }) => {
  const times: number[] = [];
  for (let load = 0; load < TRIES; load++) times.push(await usableAfter(page, editor));
  found("until Generate and the form can be used", Math.min(...times), 1500, "ms");
});

test("the first picture of a newcomer", async ({ page }) => {
  // A server that has made nothing yet, and has still to wake its worker.
  const server = await new Darkroom().start();
  try {
    const editor = new Editor(page, server.url);
    const begun = Date.now();
    await editor.open();
    await expect(page.locator(".form textarea").first()).toBeFocused();
    await editor.generate.click();
    const picture = page.getByRole("img", { name: "The picture that was made last" });
    await expect(picture).toBeVisible({ timeout: 120_000 });
    found("from the address to the first picture", (Date.now() - begun) / 1000, 30, "s");
    await page.goto("about:blank");
  } finally {
    await server.dispose();
  }
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
    const p95 = async (what: string, prepare: (page: Page) => Promise<Work>) => {
      const times: number[] = [];
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const work = await prepare(page);
        times.push(quantile(await framesDuring(page, work), 0.95));
        await page.keyboard.press("Escape");
      }
      found(`${nodes} nodes: ${what}, 95 % of frames`, Math.min(...times), budget, "ms");
    };
    await p95("panning", pan);
    await p95("zooming", zoom);
    await p95("dragging 20", dragTwenty);
  });
}

test("searching among 1,000 node types", async ({ editor, page, darkroom }) => {
  const told = manyTypes(await darkroom.ask<NodeTypes>("GET", "/api/v1/nodes"), 1000);
  await page.route("**/api/v1/nodes", (route) => route.fulfill({ json: told }));
  await editor.open();
  await expect(page.locator("[data-node-id]").first()).toBeVisible();
  await middleOf(page);
  // A new profile begins in the prompt, where the key would be a letter.
  await page.locator(".canvas").focus();
  const slowest: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await page.keyboard.press("Space");
    await expect(page.getByRole("option").first()).toBeVisible();
    const times: number[] = [];
    for (const key of "load image") times.push(await keyToResult(page, key));
    slowest.push(Math.max(...times));
    await page.keyboard.press("Escape");
  }
  found("search, from key to result, the slowest of ten keys", Math.min(...slowest), 50, "ms");
});

test("undo of 1,000 steps", async ({ darkroom }) => {
  const told = await darkroom.ask<NodeTypes>("GET", "/api/v1/nodes");
  const text = JSON.stringify(largeWorkflow(told, { nodes: 500, wires: 800 }));
  found("undo of 1,000 steps of typing a long text", undoSize(text), 5, "MB");
});

test("memory over 200 runs with previews", async ({ editor, page }) => {
  test.setTimeout(3_600_000);
  const session = await page.context().newCDPSession(page);
  // A new profile's workflow takes another seed for each press, so nothing comes from the store.
  await editor.open();
  await expect(page.getByRole("textbox").first()).toBeVisible();
  await runs(editor, 10);
  const before = await heapOf(session);
  await runs(editor, RUNS);
  const left = ((await heapOf(session)) - before) / 2 ** 20;
  found(`memory that ${RUNS} runs leave behind`, left, 20, "MiB");
});

async function runs(editor: Editor, count: number): Promise<void> {
  const stop = editor.page.locator(".run-stop");
  for (let number = 0; number < count; number++) {
    await editor.generate.click();
    await expect(stop).toBeEnabled({ timeout: 60_000 });
    await expect(stop).toBeDisabled({ timeout: 120_000 });
  }
}

/** The size of the past of a workflow in megabytes, after a long text was written anew 1,000 times. */
function undoSize(text: string): number {
  let log = EMPTY_LOG;
  let workflow = readWorkflow(text);
  const ids = Object.keys(workflow.nodes);
  for (let step = 0; step < 1000; step++) {
    const id = ids[step % ids.length] ?? "";
    const node = workflow.nodes[id];
    if (node === undefined) throw new Error("There is no node to write to.");
    const inputs = { ...node.inputs, text: `${step} `.repeat(80) };
    const after = { ...workflow, nodes: { ...workflow.nodes, [id]: { ...node, inputs } } };
    log = record(log, "set_input", workflow, after);
    workflow = after;
  }
  expect(log.done).toHaveLength(1000);
  return new Blob([logText(log)]).size / 1e6;
}

/** Milliseconds from a key to the frame that shows what it found. */
async function keyToResult(page: Page, key: string): Promise<number> {
  // The watch stands before the key is sent: keys take a shorter way into the page than code.
  const watch = await page.evaluateHandle(() => {
    let pressed = 0;
    const seen = { once: true, capture: true };
    addEventListener("keydown", (event) => (pressed = event.timeStamp), seen);
    const shown = new Promise<number>((resolve) => {
      const told = () => setTimeout(() => resolve(performance.now() - pressed));
      addEventListener("input", () => requestAnimationFrame(told), seen);
    });
    return { shown };
  });
  await page.keyboard.press(key === " " ? "Space" : key);
  return watch.evaluate(({ shown }) => shown);
}
