/** Text to image from an empty canvas: by the mouse alone, and by keys alone. */

import type { Locator } from "@playwright/test";

import type { Editor } from "./editor";
import { expect, test } from "./fixtures";

test.use({ viewport: { width: 1920, height: 1200 } });

const PROMPT = "a green house by day";
const STEPS = 4;

/** What the finished graph says, whatever its nodes are called. */
async function expectTextToImage(editor: Editor, seed: number): Promise<void> {
  const { nodes } = await editor.exported();
  const types = Object.values(nodes).map(({ type }) => type);
  expect(types.toSorted()).toEqual([
    "CLIPEncode",
    "CLIPEncode",
    "EmptyLatent",
    "KSampler",
    "LoadCheckpoint",
    "SaveImage",
    "VAEDecode",
  ]);
  const sampler = Object.values(nodes).find(({ type }) => type === "KSampler");
  expect(sampler?.inputs).toMatchObject({
    model: { $link: [expect.any(String), "model"] },
    positive: { $link: [expect.any(String), "value"] },
    negative: { $link: [expect.any(String), "value"] },
    latents: { $link: [expect.any(String), "value"] },
    seed,
    steps: STEPS,
  });
  expect(Object.values(nodes)).toContainEqual(
    expect.objectContaining({ inputs: expect.objectContaining({ text: PROMPT }) }),
  );
}

/** Does something that adds a node, and gives that node. */
async function added(editor: Editor, act: () => Promise<void>): Promise<Locator> {
  const before = Object.keys((await editor.exported()).nodes);
  await act();
  const fresh = async () =>
    Object.keys((await editor.exported()).nodes).filter((id) => !before.includes(id));
  await expect.poll(fresh).toHaveLength(1);
  return editor.node((await fresh()).join());
}

async function expectRuns(editor: Editor): Promise<void> {
  const save = editor.nodesOf("SaveImage");
  await editor.expectRun(save, "done", 80_000);
  await editor.heard(/is finished after/);
}

test("text to image by the mouse", async ({ editor, page }) => {
  await editor.open();
  await expect(editor.nodesOf("KSampler")).toBeVisible();
  await page.getByRole("button", { name: "New workflow" }).click();
  const pane = page.locator(".react-flow__pane");
  await expect(page.locator("[data-node-id]")).toHaveCount(0);
  const box = (await pane.boundingBox()) ?? { x: 0, y: 0 };
  const place = (x: number, y: number) => ({ x: box.x + x, y: box.y + y });

  const choose = (type: string): Promise<Locator> =>
    added(editor, async () => {
      const options = page.getByRole("dialog").getByRole("option");
      await page.getByRole("dialog").getByRole("combobox").fill(type);
      await options
        .filter({ has: page.getByText(type, { exact: true }) })
        .first()
        .click();
      await expect(page.getByRole("dialog")).toHaveCount(0);
    });
  const pull = async (port: Locator, to: { x: number; y: number }, type: string) => {
    const start = await port.boundingBox();
    if (start === null) throw new Error("The port is out of sight");
    await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + 20, to.y + 5, { steps: 4 });
    await page.mouse.move(to.x, to.y, { steps: 2 });
    await page.mouse.up();
    return choose(type);
  };

  await pane.dblclick({ position: { x: 60, y: 60 } });
  const loader = await choose("LoadCheckpoint");
  const positive = await pull(
    editor.port(loader, "out", "text_encoder"),
    place(420, 60),
    "CLIPEncode",
  );
  await positive.getByRole("textbox").fill(PROMPT);
  const sampler = await pull(editor.port(positive, "out", "value"), place(780, 60), "KSampler");
  await editor.connect(editor.port(loader, "out", "model"), editor.port(sampler, "in", "model"));
  const negative = await pull(
    editor.port(sampler, "in", "negative"),
    place(660, 400),
    "CLIPEncode",
  );
  await editor.connect(
    editor.port(loader, "out", "text_encoder"),
    editor.port(negative, "in", "text_encoder"),
  );
  await pull(editor.port(sampler, "in", "latents"), place(660, 700), "EmptyLatent");
  const decode = await pull(editor.port(sampler, "out", "value"), place(1100, 60), "VAEDecode");
  await editor.connect(editor.port(loader, "out", "vae"), editor.port(decode, "in", "vae"));
  await pull(editor.port(decode, "out", "value"), place(1100, 400), "SaveImage");

  for (const [input, value] of [
    ["Steps", STEPS],
    ["Seed", 7],
  ] as const) {
    const field = sampler.getByLabel(`KSampler, ${input}`, { exact: true });
    await field.click();
    await field.fill(String(value));
    await field.press("Enter");
  }
  for (const side of ["Width", "Height"]) {
    const field = page.locator(".canvas").getByLabel(`EmptyLatent, ${side}`, { exact: true });
    await field.click();
    await field.fill("128");
    await field.press("Enter");
  }
  const model = loader.getByLabel("LoadCheckpoint, Checkpoint", { exact: true });
  if (!((await model.textContent()) ?? "").includes("starter")) {
    await model.click();
    await page.getByRole("option", { name: /^starter\.safetensors/ }).click();
  }
  await expectTextToImage(editor, 7);
  await editor.generate.click();
  await expectRuns(editor);
});

test("text to image by keys alone", async ({ editor, page }) => {
  test.setTimeout(150_000); // many keys, and a machine may be busy
  const press = (...keys: string[]) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const focusedPort = (node: Locator, way: "in" | "out", name: string) =>
    expect(editor.port(node, way, name)).toBeFocused();

  await editor.open();
  await expect(editor.nodesOf("KSampler")).toBeVisible();
  await press("Alt+n");
  await expect(page.locator("[data-node-id]")).toHaveCount(0);

  /** Type into the open search and take the first. */
  const take = async (type: string): Promise<Locator> => {
    await expect(page.getByRole("dialog").getByRole("combobox")).toBeFocused();
    const node = await added(editor, async () => {
      await page.keyboard.type(type);
      await press("Enter");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    });
    await expect(page.locator(".react-flow__node").filter({ has: node })).toBeFocused();
    return node;
  };
  /** From a focused node to one of its ports. */
  const toPort = async (node: Locator, way: "in" | "out", name: string) => {
    await press("Enter");
    await expect(node.locator("[data-port]:focus")).toHaveCount(1);
    // Beyond the ports of a side are their wires.
    if ((await node.locator(`[data-port^="${way}:"]:focus`).count()) === 0)
      await press(way === "out" ? "ArrowRight" : "ArrowLeft");
    for (let step = 0; step < 12; step++) {
      if ((await node.locator(`[data-port="${way}:${name}"]:focus`).count()) > 0) return;
      await press("ArrowDown");
    }
    await focusedPort(node, way, name);
  };
  /** To a node from anywhere, by the search in the graph. */
  const toNode = async (node: Locator) => {
    const id = (await node.getAttribute("data-node-id")) ?? "";
    await press("Control+f");
    await expect(page.getByRole("textbox", { name: "Find in the graph" })).toBeFocused();
    await page.keyboard.type(id);
    for (let tries = 0; tries < 6; tries++) {
      await press("Enter");
      await page.waitForTimeout(100);
      if ((await node.getAttribute("data-selected")) !== null) break;
    }
    await press("Escape");
    await expect(page.locator(".react-flow__node").filter({ has: node })).toBeFocused();
  };
  /** A wire to a node that is there: it goes from fitting port to fitting port. */
  const wire = async (from: Locator, output: string, to: Locator, input: string) => {
    await toNode(from);
    await toPort(from, "out", output);
    await press("Enter");
    await editor.heard(/ports? takes? it/);
    for (let step = 0; step < 12; step++) {
      if ((await to.locator(`[data-port="in:${input}"]:focus`).count()) > 0) break;
      await press("ArrowDown");
    }
    await focusedPort(to, "in", input);
    await press("Enter");
    await editor.heard(/connected to/);
  };
  const fill = async (node: Locator, name: string, value: string) => {
    const field = node.getByLabel(name, { exact: true });
    await toNode(node);
    for (let step = 0; step < 30; step++) {
      if (await field.evaluate((element) => element === document.activeElement)) break;
      await press("Tab");
    }
    await expect(field).toBeFocused();
    await press("Control+a");
    await page.keyboard.type(value);
    await press("Tab");
  };

  await press("Space");
  const loader = await take("LoadCheckpoint");
  await editor.heard("LoadCheckpoint added");
  await toPort(loader, "out", "text_encoder");
  await press("Space");
  const positive = await take("CLIPEncode");
  await editor.heard("CLIPEncode added");
  await toPort(positive, "out", "value");
  await press("Space");
  const sampler = await take("KSampler");
  await toPort(sampler, "in", "latents");
  await press("Space");
  const latents = await take("EmptyLatent");
  await toNode(sampler);
  await toPort(sampler, "in", "negative");
  await press("Space");
  const negative = await take("CLIPEncode");
  await toNode(sampler);
  await toPort(sampler, "out", "value");
  await press("Space");
  const decode = await take("VAEDecode");
  await toPort(decode, "out", "value");
  await press("Space");
  await take("SaveImage");

  await wire(loader, "model", sampler, "model");
  await wire(loader, "vae", decode, "vae");
  await wire(loader, "text_encoder", negative, "text_encoder");
  // Back along the wire, which takes a bend: what the pointer does with it, keys do.
  await press("ArrowLeft");
  await expect(page.locator(".react-flow__edge:focus")).toHaveAccessibleName(/^Wire from/);
  await press("Enter", "Enter");
  await expect(page.locator(".react-flow__node-reroute:focus")).toHaveCount(1);
  await press("Control+z", "Escape", "l");

  await fill(positive, "CLIPEncode, Text", PROMPT);
  await fill(sampler, "KSampler, Steps", String(STEPS));
  await fill(sampler, "KSampler, Seed", "8"); // not that of the mouse, whose result is stored
  await fill(latents, "EmptyLatent, Width", "128");
  await fill(latents, "EmptyLatent, Height", "128");
  await expectTextToImage(editor, 8);

  await press("Control+Enter");
  await editor.heard(/ runs\./);
  await expectRuns(editor);
});
