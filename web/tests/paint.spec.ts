import type { Locator, Page } from "@playwright/test";

import { shipped } from "./documents";
import { dropFile, json } from "./dropping";
import { expect, test } from "./fixtures";

const canvasOf = (page: Page): Locator => page.getByRole("application", { name: /^Mask of / });

async function openPainter(page: Page): Promise<void> {
  await page
    .getByRole("button", { name: /^Paint mask, .*image/i })
    .first()
    .click();
  await expect(canvasOf(page)).toBeVisible();
}

/** How much of the mask is painted, from 0 to 1. */
const painted = (page: Page): Promise<number> =>
  page.locator(".paint-sheet canvas").evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const data = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? [];
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 0) count += 1;
    return count / (width * height);
  });

async function stroke(page: Page): Promise<void> {
  const box = await page.locator(".paint-sheet").boundingBox();
  if (box === null) throw new Error("There is no picture to paint on");
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.6, { steps: 6 });
  await page.mouse.up();
}

test("a mask is painted, run, and there again", async ({ editor, page }) => {
  await editor.open("?workflow=inpaint");
  await expect(page.getByRole("img", { name: "postcard.png" }).first()).toBeVisible();
  await dropFile(page, page.locator(".react-flow"), json("inpaint.json", shipped("inpaint")));
  await openPainter(page);
  expect(await painted(page)).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  expect(await painted(page)).toBe(0);
  await stroke(page);
  const share = await painted(page);
  expect(share).toBeGreaterThan(0.02);
  await page.getByRole("button", { name: "Done" }).click();
  await editor.heard(/The mask is saved as/);
  const { nodes } = await editor.exported();
  expect(nodes["mask"]?.inputs).toMatchObject({ channel: "luminance" });
  expect(JSON.stringify(nodes["mask"]?.inputs)).toMatch(/"postcard-mask(-\d+)?\.png"/);

  await editor.generate.click();
  await editor.expectRun(editor.node("save"), "done", 80_000);

  await openPainter(page);
  await expect.poll(() => painted(page)).toBeCloseTo(share, 2);
  await page.keyboard.press("Escape");
  await editor.open();
  await openPainter(page);
  await expect.poll(() => painted(page)).toBeCloseTo(share, 2);
});

test("a mask that is not finished outlives a reload", async ({ editor, page }) => {
  await editor.open("?workflow=inpaint");
  await openPainter(page);
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await stroke(page);
  const share = await painted(page);
  await page.reload();
  await openPainter(page);
  await expect.poll(() => painted(page)).toBeCloseTo(share, 2);
  await editor.heard(/not finished is here again/);
  await page.getByRole("button", { name: "Discard" }).click();
  await openPainter(page);
  await expect.poll(() => painted(page)).not.toBeCloseTo(share, 2);
});

test("a frame around the picture is drawn from the inspector", async ({ editor, page }) => {
  await editor.open("?workflow=inpaint");
  await expect(editor.node("picture")).toBeAttached();
  const document = shipped("inpaint");
  document.nodes["around"] = {
    type: "PadImage",
    inputs: { image: { $link: ["picture", "image"] } },
  };
  await dropFile(page, page.locator(".react-flow"), json("frame.json", document));
  await page.getByRole("tab", { name: "Inspect" }).click();
  await editor.node("around").click();
  await page.getByRole("button", { name: "Draw on the picture" }).click();
  const right = page.getByRole("button", { name: /^Right: / });
  await right.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect
    .poll(async () => (await editor.exported()).nodes["around"]?.inputs)
    .toMatchObject({
      right: 16,
    });
});

test("a box is drawn on the picture by one drag", async ({ editor, page }) => {
  await editor.open("?workflow=inpaint");
  await expect(editor.node("picture")).toBeAttached();
  const document = shipped("inpaint");
  document.nodes["part"] = {
    type: "CropImage",
    inputs: { image: { $link: ["picture", "image"] }, x: 0, y: 0, width: 16, height: 16 },
  };
  await dropFile(page, page.locator(".react-flow"), json("box.json", document));
  await page.getByRole("tab", { name: "Inspect" }).click();
  await editor.node("part").click();
  await page.getByRole("button", { name: "Draw on the picture" }).click();
  const picture = await page.locator(".frame-sheet img").boundingBox();
  if (picture === null) throw new Error("The picture is not there.");
  const at = (x: number, y: number) =>
    [picture.x + x * picture.width, picture.y + y * picture.height] as const;
  // From the lower right corner to the middle: a box may be drawn in any direction.
  await page.mouse.move(...at(0.98, 0.98));
  await page.mouse.down();
  await page.mouse.move(...at(0.75, 0.75));
  await page.mouse.move(...at(0.5, 0.5));
  await page.mouse.up();
  await expect
    .poll(async () => (await editor.exported()).nodes["part"]?.inputs)
    .toMatchObject({ x: 64, y: 64, width: 64, height: 64 });
});

test("a mask that is long in being saved goes to its own workflow", async ({ editor, page }) => {
  await editor.open("?workflow=inpaint");
  await expect(page.getByRole("img", { name: "postcard.png" }).first()).toBeVisible();
  const { mask } = (await editor.exported()).nodes;
  await openPainter(page);
  await stroke(page);
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/api\/v1\/uploads/, async (route) => {
    if (route.request().method() === "POST") await released;
    await route.fallback();
  });
  await page.getByRole("button", { name: "Done" }).click();
  await page.keyboard.press("Alt+N");
  await expect(canvasOf(page)).toHaveCount(0);
  release();
  await editor.heard(/The mask is saved as/);
  expect(Object.keys((await editor.exported()).nodes)).toEqual([]);
  await page.getByRole("tablist", { name: "Open workflows" }).getByRole("tab").first().click();
  const saved = (await editor.exported()).nodes["mask"]?.inputs;
  expect(saved).not.toEqual(mask?.inputs);
  expect(saved).toMatchObject({ channel: "luminance" });
});
