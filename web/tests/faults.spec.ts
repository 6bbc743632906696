import { expectRefusals, save, shipped, toy } from "./documents";
import { expect, test } from "./fixtures";

// What has faults cannot be planned.
test.afterEach(({ complaints }) => expectRefusals(complaints, 422, "/api/v1/plan"));

test("a missing model is replaced by the nearest name with one press", async ({
  darkroom,
  editor,
  page,
}) => {
  const document = shipped("text-to-image");
  document.nodes["checkpoint"] = {
    type: "LoadCheckpoint",
    inputs: { checkpoint: "startr.safetensors" },
  };
  const sampler = document.nodes["sampler"];
  if (sampler !== undefined) sampler.inputs["steps"] = 0;
  await save(darkroom, "faulty", document);
  await editor.open("?workflow=faulty");
  await expect(editor.node("sampler")).toBeAttached({ timeout: 60_000 });
  await page.getByRole("button", { name: /problems?$/ }).click();
  const list = page.locator(".problems");
  await expect(list).toContainText("startr.safetensors");
  await expect(list).toContainText("steps");

  await list.getByRole("button", { name: /steps/ }).first().click();
  await expect(editor.node("sampler")).toHaveAttribute("data-selected", "true");
  await page.getByRole("tab", { name: "Inspect" }).click();
  await expect(page.locator('.line[data-input="steps"]')).toContainText("1 is the least");

  if (!(await list.isVisible())) await page.getByRole("button", { name: /problems?$/ }).click();
  await list.getByRole("button", { name: "Use starter.safetensors" }).click();
  const { nodes } = await editor.exported();
  expect(nodes["checkpoint"]?.inputs).toMatchObject({ checkpoint: "starter.safetensors" });
  await expect(page.getByText(/startr/)).toHaveCount(0);
});

test("a wire that is missing is drawn with one press", async ({ darkroom, editor, page }) => {
  const document = shipped("text-to-image");
  const sampler = document.nodes["sampler"];
  const { model } = sampler?.inputs ?? {};
  if (sampler !== undefined) delete sampler.inputs["model"];
  await save(darkroom, "unwired", document);
  await editor.open("?workflow=unwired");
  await expect(editor.node("sampler")).toBeAttached({ timeout: 60_000 });
  await page.getByRole("button", { name: /problems?$/ }).click();
  await page.locator(".problems").getByRole("button", { name: "Connect checkpoint.model" }).click();
  expect((await editor.exported()).nodes["sampler"]?.inputs).toMatchObject({ model });
});

test("a node of an unknown type is kept and written back unchanged", async ({
  darkroom,
  editor,
  page,
}) => {
  const document = shipped("text-to-image");
  const strange = {
    type: "FromElsewhere",
    inputs: { image: { $link: ["decode", "value"] }, odd: [1, { two: "three" }] },
  };
  document.nodes["strange"] = strange;
  await save(darkroom, "strange", document);
  await editor.open("?workflow=strange");
  await expect(editor.node("strange")).toBeAttached({ timeout: 60_000 });
  await expect(editor.node("strange")).toContainText("FromElsewhere");
  expect((await editor.exported()).nodes["strange"]).toMatchObject(strange);
  await page.keyboard.press("Control+s");
  await editor.heard(/strange/);
  const { nodes } = await darkroom.ask<typeof document>("GET", "/api/v1/workflows/strange");
  expect(nodes["strange"]).toMatchObject(strange);
});

test("a node that fails says why", async ({ toys, toyEditor, page }) => {
  await save(toys, "failing", toy("Failing", "Fail", { number: 1.5, how: "value" }));
  await toyEditor.open("?workflow=failing");
  await expect(toyEditor.node("only")).toBeAttached({ timeout: 60_000 });
  await toyEditor.generate.click();
  await toyEditor.expectRun(toyEditor.node("only"), "error");
  await expect(page.locator('[data-job-state="failed"]').last()).toHaveAccessibleName(/failed/);
  const problems = page.getByRole("button", { name: /problems?$/ });
  await problems.click();
  await expect(page.locator(".problems")).toContainText("the number is odd: give an even one");
});
