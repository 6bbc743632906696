import { expect, test } from "./fixtures";

interface Nested {
  readonly nodes: Readonly<Record<string, { readonly graph?: string; readonly inputs: object }>>;
  readonly subgraphs?: Readonly<
    Record<string, { readonly inputs: object; readonly nodes: object }>
  >;
}

test("a subgraph is made, entered, given an input, run, unpacked, and all of it undone", async ({
  editor,
  page,
}) => {
  await editor.open("?workflow=text-to-image");
  await expect(editor.node("sampler")).toBeVisible();
  await page.getByRole("button", { name: "Show how" }).click();
  const start = await editor.exported();
  const read = async () => (await editor.exported()) as unknown as Nested;

  await editor.node("positive").locator(".node-title").click();
  await editor
    .node("negative")
    .locator(".node-title")
    .click({ modifiers: ["Shift"] });
  await expect(page.locator("[data-node-id][data-selected]")).toHaveCount(2);
  await page.keyboard.press("Control+Shift+E");
  await expect(editor.node("positive")).toHaveCount(0);
  const made = await read();
  const [id, outer] = Object.entries(made.nodes).find(([, node]) => node.graph !== undefined) ?? [];
  if (id === undefined || outer?.graph === undefined) throw new Error("There is no subgraph");
  const group = editor.node(id);

  await group.locator(".port-row").last().dblclick();
  const path = page.getByRole("navigation", { name: "Graphs from the workflow" });
  await expect(path).toBeVisible();
  await editor.heard(/In the subgraph/);
  await expect(page.locator("[data-node-id]")).toHaveCount(2);

  const port = editor.port(editor.node("negative"), "in", "zero_if_empty");
  await port.click({ button: "right" });
  await page.getByRole("menuitem", { name: "Show in the form" }).click();
  await page.locator(".react-flow__pane").click({ position: { x: 10, y: 10 } });
  await page.keyboard.press("Escape");
  await expect(path).toHaveCount(0);
  const promoted = editor.port(group, "in", "zero_if_empty");
  await expect(promoted).toBeVisible();
  // The value lives inside, and is set from outside.
  const title = (await group.locator(".node-title").textContent()) ?? "";
  await group.getByRole("switch", { name: new RegExp(`^${title}, `) }).click();
  expect((await read()).nodes[id]?.inputs).toMatchObject({ zero_if_empty: true });

  const steps = page
    .getByRole("tabpanel", { name: "Form" })
    .getByRole("spinbutton", { name: /, Steps$/ });
  await steps.click();
  await steps.fill("4");
  await steps.press("Enter");
  await editor.generate.click();
  await editor.expectRun(group, "done", 80_000);
  await editor.expectRun(editor.node("save"), "done");

  await group.locator(".node-title").click();
  await page.keyboard.press("Control+Shift+U");
  await expect(editor.node("positive")).toBeVisible();
  await expect(group).toHaveCount(0);
  expect((await read()).nodes["negative"]?.inputs).toMatchObject({ zero_if_empty: true });

  for (let step = 0; step < 12; step++) await page.keyboard.press("Control+Z");
  await editor.heard("There is nothing to undo");
  expect(await editor.exported()).toEqual(start);
  for (let step = 0; step < 12; step++) await page.keyboard.press("Control+Y");
  await expect(group).toHaveCount(0);
  expect((await read()).nodes["negative"]?.inputs).toMatchObject({ zero_if_empty: true });
});
