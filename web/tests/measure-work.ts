/** What is done on a large canvas while its frames are counted: each part gets ready, and gives what is measured. */

import { expect, type Page } from "@playwright/test";

import type { Editor } from "./editor";
import type { Document } from "./large";

/** Something that goes on for a while, once everything is ready for it. */
export type Work = () => Promise<void>;

export async function openLarge(editor: Editor, document: Document): Promise<void> {
  await editor.open();
  await expect(editor.page.locator(".react-flow")).toBeVisible();
  await editor.drop("large.json", JSON.stringify(document));
  const count = Object.keys(document.nodes).length;
  await expect
    .poll(async () => Object.keys((await editor.exported()).nodes).length, { timeout: 60_000 })
    .toBe(count);
  await expect(editor.page.locator("[data-node-id]").first()).toBeVisible({ timeout: 60_000 });
}

export async function middleOf(page: Page): Promise<{ x: number; y: number }> {
  const box = await page.locator(".react-flow__pane, [data-canvas]").first().boundingBox();
  if (box === null) throw new Error("There is no canvas.");
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.move(middle.x, middle.y);
  return middle;
}

export async function pan(page: Page): Promise<Work> {
  const { x, y } = await middleOf(page);
  return async () => {
    await page.mouse.down({ button: "middle" });
    for (let step = 0; step < 120; step++) {
      const turn = step / 10;
      await page.mouse.move(x + 250 * Math.sin(turn), y + 150 * Math.cos(turn));
    }
    await page.mouse.up({ button: "middle" });
  };
}

/** In until every field is drawn, and out again to the whole, twice. */
export async function zoom(page: Page): Promise<Work> {
  await middleOf(page);
  return async () => {
    for (let step = 0; step < 80; step++) await page.mouse.wheel(0, step % 40 < 20 ? -60 : 60);
  };
}

export async function dragTwenty(page: Page): Promise<Work> {
  const found = await page
    .locator("[data-node-id]")
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
  const canvas = await page.locator(".react-flow__pane").boundingBox();
  if (canvas === null) throw new Error("There is no canvas.");
  const inside = found.filter(
    (box) =>
      box.x > canvas.x &&
      box.y > canvas.y &&
      box.x + box.width < canvas.x + canvas.width - 200 &&
      box.y + box.height < canvas.y + canvas.height - 100,
  );
  // Near its upper edge a node is its title at every size.
  const places = inside.slice(0, 20).map((box) => ({
    x: box.x + box.width / 2,
    y: box.y + Math.min(8, box.height / 4),
  }));
  const [first] = places;
  if (first === undefined) throw new Error("There is nothing to drag.");
  await page.keyboard.down("Shift");
  for (const { x, y } of places) await page.mouse.click(x, y);
  await page.keyboard.up("Shift");
  await page.mouse.move(first.x, first.y);
  return async () => {
    await page.mouse.down();
    for (let step = 0; step < 120; step++) {
      const turn = step / 10;
      await page.mouse.move(first.x + 150 * Math.sin(turn), first.y + 100 * Math.sin(turn / 2));
    }
    await page.mouse.up();
  };
}
