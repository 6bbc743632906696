/** Nothing is lost: by a reload, by a page that crashes, by a server that goes away. */

import type { Page } from "@playwright/test";

import { Darkroom } from "./darkroom";
import { Editor } from "./editor";
import { expect, test } from "./fixtures";

const prompt = (page: Page) => page.locator(".form textarea").first();
const tabs = (page: Page) => page.getByRole("tablist", { name: "Open workflows" });
const textOf = async (editor: Editor): Promise<unknown> =>
  (await editor.exported()).nodes["positive"]?.inputs;

test("edits, their history and all tabs outlast a reload and a crash", async ({
  editor,
  page,
  context,
}) => {
  await editor.open();
  await expect(editor.node("sampler")).toBeVisible();
  await prompt(page).fill("a yellow house");
  await page.getByRole("button", { name: "Show how" }).click();
  await editor.node("decode").locator(".node-title").click();
  await page.keyboard.press("Control+B");
  await expect(editor.node("decode")).toHaveAttribute("data-mode", "bypass");
  await page.keyboard.press("Alt+N");
  await page.locator(".react-flow__pane").dblclick({ position: { x: 300, y: 200 } });
  await page.keyboard.type("VAEDecode");
  await page.keyboard.press("Enter");
  await expect(editor.nodesOf("VAEDecode")).toHaveCount(1);
  await page.waitForTimeout(1000); // a draft is written a moment after the edit

  await page.reload();
  await expect(tabs(page).getByRole("tab")).toHaveCount(2);
  await expect(editor.nodesOf("VAEDecode")).toHaveCount(1);
  expect(Object.keys((await editor.exported()).nodes)).toHaveLength(1);
  await tabs(page).getByRole("tab").first().click();
  await expect(editor.node("decode")).toHaveAttribute("data-mode", "bypass");
  expect(await textOf(editor)).toMatchObject({ text: "a yellow house" });
  await page.waitForTimeout(1000);

  const session = await context.newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  session.send("Page.crash").catch(() => undefined);
  await crashed;
  const next = await context.newPage();
  await page.close();
  const again = new Editor(next, editor.url);
  await again.open();
  await expect(tabs(next).getByRole("tab")).toHaveCount(2);
  await expect(again.node("decode")).toHaveAttribute("data-mode", "bypass");

  // The history is there, too: back to the start, and forth again.
  await next.locator(".react-flow__pane").click({ position: { x: 300, y: 20 } });
  await next.keyboard.press("Control+Z");
  await expect(again.node("decode")).toHaveAttribute("data-mode", "normal");
  await next.keyboard.press("Control+Z");
  await expect(prompt(next)).not.toHaveValue("a yellow house");
  await next.keyboard.press("Control+Y");
  await next.keyboard.press("Control+Y");
  await expect(again.node("decode")).toHaveAttribute("data-mode", "bypass");
  expect(await textOf(again)).toMatchObject({ text: "a yellow house" });
});

test("a server that is killed during a run costs nothing", async ({ page, complaints }) => {
  test.setTimeout(150_000);
  const server = await new Darkroom().start();
  try {
    const editor = new Editor(page, server.url);
    await editor.open();
    await expect(editor.node("sampler")).toBeVisible();
    await editor.generate.click();
    await expect(page.locator('[data-run-state="running"]')).not.toHaveCount(0);
    await server.kill();
    await expect(page.getByRole("alert")).toContainText("server is away");
    await prompt(page).fill("a white house, written while the server was away");

    await server.start();
    await expect(page.getByText("The server is back.")).toBeVisible({ timeout: 40_000 });
    await expect(prompt(page)).toHaveValue("a white house, written while the server was away");
    // The run that was cut off goes on by itself.
    const picture = page.getByRole("img", { name: "The picture that was made last" });
    await expect(picture).toBeVisible({ timeout: 80_000 });
    await page.close();
    // That the server did not answer is what this is about; anything else still counts.
    const others = complaints.filter((each) => !/net::ERR_(CONNECTION|EMPTY)/.test(each));
    complaints.splice(0, complaints.length, ...others);
  } finally {
    await server.dispose();
  }
});
