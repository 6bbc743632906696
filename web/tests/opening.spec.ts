import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { dataFile, expectRefusals, shipped, submit } from "./documents";
import { dropFile, json } from "./dropping";
import { expect, test } from "./fixtures";

const postcard = readFileSync(resolve(import.meta.dirname, "../../workflows/starter/postcard.png"));

test("a picture that was made here opens its workflow", async ({ darkroom, editor, page }) => {
  const made = await submit(
    darkroom,
    { ...shipped("text-to-image", 3), name: "From a picture" },
    60,
  );
  expect(made.state).toBe("succeeded");
  const [file] = made.outputs["image"]?.files ?? [];
  const bytes = Buffer.from(await (await fetch(darkroom.url + (file?.url ?? ""))).arrayBuffer());
  await editor.open();
  await expect(page.locator(".form")).toBeVisible();
  await dropFile(page, page.locator(".form"), { name: "a.png", type: "image/png", bytes });
  await expect(page.getByRole("tab", { name: /From a picture/ })).toBeVisible();
  expect((await editor.exported()).nodes["sampler"]?.inputs).toMatchObject({ steps: 3 });
});

test("a workflow of ComfyUI opens, and what differs is said", async ({
  editor,
  page,
  complaints,
}) => {
  await editor.open();
  await dropFile(page, page.locator(".strip"), json("comfyui.json", dataFile("comfyui.json")));
  await expect(page.getByRole("tab", { name: /comfyui/i })).toBeVisible();
  const { nodes } = await editor.exported();
  const texts = Object.values(nodes).map(({ inputs }) => JSON.stringify(inputs));
  expect(texts.join()).toContain("bad hands");
  await expect(page.locator(".notices")).toContainText(/comfyui\.json differs.*no such node/s);
  expectRefusals(complaints, 422, "/api/v1/plan");
});

test("what opens nothing says why", async ({ editor, page, complaints }) => {
  await editor.open();
  const canvas = page.locator(".react-flow");
  const before = await page.getByRole("tab").count();
  const plain = { name: "postcard.png", type: "image/png", bytes: postcard };
  await dropFile(page, canvas, plain);
  const question = page.getByRole("dialog", { name: /postcard\.png carries no workflow/ });
  await expect(question.getByRole("button", { name: "Add a node that reads it" })).toBeVisible();
  await question.getByRole("button", { name: "Cancel" }).click();
  await dropFile(page, canvas, { ...plain, name: "cut.png", bytes: postcard.subarray(0, 60) });
  await expect(page.getByRole("alert").filter({ hasText: "cut.png" })).toBeVisible();
  await dropFile(page, canvas, json("half.json", '{"darkroom": 1, "nodes": {'));
  await expect(page.getByText(/half\.json cannot be read/)).toBeVisible();
  await dropFile(page, canvas, json("huge.json", `{${" ".repeat(33 * 1024 * 1024)}}`));
  await expect(page.getByText(/huge\.json is too large/)).toBeVisible();
  expect(await page.getByRole("tab").count()).toBe(before);
  for (const status of [413, 422]) expectRefusals(complaints, status, "/api/v1/open");
});
