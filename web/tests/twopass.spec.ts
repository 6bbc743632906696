import { expect, test } from "./fixtures";

test("two passes tell what each node does, and take up what is stored", async ({
  editor,
  page,
}) => {
  await editor.open("?workflow=two-pass");
  const refine = editor.node("refine");
  await expect(refine).toBeVisible();
  await page.getByRole("button", { name: "Show how" }).click();
  const form = page.getByRole("tabpanel", { name: "Form" });
  const set = async (name: string, value: string) => {
    const field = form.locator("input").and(form.getByLabel(new RegExp(`, ${name}$`)));
    await field.click();
    await field.fill(value);
    await field.press("Enter");
  };
  await set("Steps", "4");
  await set("Seed", String(Date.now() % 100_000));

  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver((changes) => {
      for (const { target } of changes)
        if (target instanceof HTMLElement && target.dataset["nodeId"] !== undefined)
          seen.push(`${target.dataset["nodeId"]} ${String(target.dataset["runState"])}`);
    }).observe(document.body, { subtree: true, attributeFilter: ["data-run-state"] });
  });
  await editor.generate.click();
  await editor.expectRun(editor.node("save"), "done", 80_000);
  for (const id of ["sampler", "upscale", "refine", "decode"])
    await editor.expectRun(editor.node(id), "done");
  await expect(editor.node("save").getByRole("img", { name: /picture/ })).toBeVisible();
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  const states = (id: string) =>
    seen.filter((each) => each.startsWith(`${id} `)).map((each) => each.split(" ")[1]);
  expect(states("refine")).toEqual(["queued", "running", "done"]);

  // The same again is there already, down to the last node.
  await editor.generate.click();
  for (const id of ["checkpoint", "positive", "negative", "sampler", "refine", "decode", "save"])
    await editor.expectRun(editor.node(id), "cached");

  // Only what depends on the change runs.
  await set("Denoise", "0.6");
  await editor.generate.click();
  await editor.expectRun(editor.node("refine"), "done");
  await editor.expectRun(editor.node("save"), "done");
  await editor.expectRun(editor.node("sampler"), "cached");
});
