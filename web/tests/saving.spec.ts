import { expectRefusals, save, toy } from "./documents";
import { Editor } from "./editor";
import { expect, test } from "./fixtures";

test("two windows that save one workflow lose nothing", async ({
  toys,
  toyEditor,
  page,
  context,
  complaints,
}) => {
  await save(toys, "shared", toy("Shared", "Add", { a: 1.5, b: 0.5 }));
  await toyEditor.open("?workflow=shared");
  await expect(toyEditor.node("only")).toHaveCount(1);
  const other = new Editor(await context.newPage(), toys.url);
  await other.open("?workflow=shared");
  await expect(other.node("only")).toHaveCount(1);

  const rename = async (editor: Editor, name: string) => {
    await editor.page.getByRole("tab", { name: "Inspect" }).click();
    const box = editor.page.getByLabel("Name of the workflow");
    await box.fill(name);
    await box.press("Enter");
    await editor.page.keyboard.press("Control+s");
  };
  const saved = () => toys.ask<{ name: string }>("GET", "/api/v1/workflows/shared");
  const question = page.getByText("“shared” was saved elsewhere since it was opened here.");

  await rename(other, "Theirs");
  await expect.poll(async () => (await saved()).name).toBe("Theirs");
  await rename(toyEditor, "Ours");
  await expect(question).toBeVisible();
  expect((await saved()).name).toBe("Theirs");
  await page.getByRole("button", { name: "Save a copy" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await toyEditor.heard(/shared copy/);

  await page.goto(`${toys.url}/?workflow=shared`);
  await expect(toyEditor.node("only")).toHaveCount(1);
  await rename(other, "Theirs again");
  await expect.poll(async () => (await saved()).name).toBe("Theirs again");
  await rename(toyEditor, "Ours again");
  await question.waitFor();
  await page.getByRole("button", { name: "Overwrite it" }).click();
  await expect.poll(async () => (await saved()).name).toBe("Ours again");

  await rename(other, "Theirs at last");
  await other.page.getByRole("button", { name: "Take the other version" }).click();
  await expect(other.page.getByLabel("Name of the workflow")).toHaveValue("Ours again");
  // That the server refuses is what this is about.
  expectRefusals(complaints, 412, "/workflows/shared");
});

test("a browser without room for drafts says so", async ({ toys, toyEditor, page }) => {
  await save(toys, "shared", toy("Shared", "Add", { a: 1.5, b: 0.5 }));
  await page.addInitScript(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
  });
  await toyEditor.open("?workflow=shared");
  await expect(page.getByText(/The browser has no room left for drafts/)).toBeVisible();
});
