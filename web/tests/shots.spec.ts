/** The pictures of the documentation: `SHOTS=1 npx playwright test shots.spec.ts`. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures";

const docs = resolve(import.meta.dirname, "../../docs");

test.skip(process.env["SHOTS"] === undefined, "writes into docs/");
test.use({ colorScheme: "dark" });

async function shoot(page: Page, name: string): Promise<void> {
  await page.mouse.move(700, 2); // away from what shows itself under the pointer
  await page.waitForTimeout(800);
  await page.screenshot({ path: resolve(docs, name), animations: "disabled" });
}

test("the form", async ({ editor, page }) => {
  await editor.open();
  await expect(editor.node("sampler")).toBeVisible();
  await page.locator(".form textarea").first().fill("a red house at night, snow, a blue balloon");
  await editor.generate.click();
  const picture = page.getByRole("img", { name: "The picture that was made last" });
  await expect(picture).toBeVisible({ timeout: 80_000 });
  await shoot(page, "editor-form.png");
});

for (const theme of ["dark", "light"] as const)
  test.describe(theme, () => {
    test.use({ colorScheme: theme });
    test("the graph", async ({ editor, page }) => {
      await editor.open("?workflow=two-pass");
      await expect(editor.node("refine")).toBeVisible();
      await page.getByRole("button", { name: "Show how" }).click();
      await editor.generate.click();
      const made = editor.node("save").getByRole("img", { name: /picture/ });
      await expect(made).toBeVisible({ timeout: 80_000 });
      await editor.node("refine").locator(".node-title").click();
      await page.getByRole("tab", { name: "Inspect" }).click();
      await shoot(page, theme === "dark" ? "editor-graph.png" : "editor-graph-light.png");
    });
  });

test("painting", async ({ darkroom, editor, page }) => {
  for (const name of ["postcard.png", "mask.png"])
    await fetch(`${darkroom.url}/api/v1/uploads?name=${name}&overwrite=true`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: readFileSync(resolve(docs, "../workflows/starter", name)),
    });
  await editor.open("?workflow=inpaint");
  await expect(editor.node("sampler")).toBeVisible();
  await page.getByRole("button", { name: "Show how" }).click();
  await page.getByRole("button", { name: "Paint mask, Image" }).first().click();
  const paper = page.locator(".stage canvas").last();
  await expect(paper).toBeVisible();
  await page.waitForTimeout(1000);
  const box = (await paper.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const at = (x: number, y: number) =>
    page.mouse.move(box.x + box.width * x, box.y + box.height * y, { steps: 8 });
  await at(0.3, 0.62);
  await page.mouse.down();
  for (const [x, y] of [
    [0.62, 0.6],
    [0.64, 0.7],
    [0.32, 0.72],
    [0.34, 0.82],
    [0.63, 0.8],
  ] as const)
    await at(x, y);
  await page.mouse.up();
  await shoot(page, "editor-painting.png");
});
