import { Darkroom } from "./darkroom";
import { Editor } from "./editor";
import { expect, test } from "./fixtures";

test("a newcomer has a picture by one button", async ({ page }) => {
  test.setTimeout(150_000);
  // A server that has made nothing yet, and has still to wake its worker.
  const server = await new Darkroom().start();
  try {
    const editor = new Editor(page, server.url);
    await editor.open();
    const prompt = page.locator(".form textarea").first();
    await expect(prompt).toBeFocused({ timeout: 60_000 });
    await expect(page.getByRole("tab", { name: "Form" })).toHaveAttribute("aria-selected", "true");

    await page.keyboard.press("Control+A");
    await page.keyboard.type("a red house by a lake at night");
    await editor.generate.click();
    const picture = page.getByRole("img", { name: "The picture that was made last" });
    await expect(picture).toBeVisible({ timeout: 80_000 });

    await expect
      .poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth))
      .toBe(128);
    const box = await picture.boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThan(400);
    await editor.heard(/finished|done/i);

    await page.getByRole("button", { name: "Show how" }).click();
    await expect(picture).toBeHidden();
    await editor.expectRun(editor.node("checkpoint"), "done");
    await expect(editor.node("save").getByRole("img", { name: /picture/ })).toBeVisible();
  } finally {
    await page.goto("about:blank");
    await server.dispose();
  }
});
