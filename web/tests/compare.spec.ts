import { Darkroom } from "./darkroom";
import { expectRefusals, shipped, submit } from "./documents";
import { dropFile, dropPicture, json } from "./dropping";
import { Editor } from "./editor";
import { expect, test } from "./fixtures";

test("a sweep is a grid with its values, and two runs are compared", async ({
  darkroom,
  editor,
  page,
}) => {
  const document = { ...shipped("text-to-image"), name: "Sweep" };
  const sampler = document.nodes["sampler"];
  if (sampler === undefined) throw new Error("There is no sampler");
  const one = await submit(darkroom, { ...document, name: "One" }, 60);
  sampler.inputs["seed"] = 4;
  const two = await submit(darkroom, { ...document, name: "One" }, 60);
  sampler.inputs["seed"] = { $axis: [3, 4] };
  sampler.inputs["guidance_scale"] = { $axis: [1.5, 2.5] };

  await editor.open();
  await dropFile(page, page.locator(".react-flow"), json("sweep.json", document));
  await editor.generate.click();
  const frame = page.locator("[data-job-id]").filter({ hasText: "4" }).last();
  await expect(frame).toHaveAttribute("data-job-state", "succeeded", { timeout: 80_000 });
  await frame.click();
  const table = page.getByRole("region", { name: "Sweep" }).getByRole("table");
  for (const label of ["3", "4"])
    await expect(
      table
        .getByRole("columnheader", { name: label, exact: true })
        .or(table.getByRole("rowheader", { name: label, exact: true })),
    ).toBeVisible();
  await expect(table.getByRole("img")).toHaveCount(0);
  await expect(table.getByRole("button")).toHaveCount(4);
  await expect(table.getByRole("button", { name: /seed 4/ })).toHaveCount(2);
  await page.keyboard.press("Escape");

  await page.locator(`[data-job-id="${two.id}"]`).focus();
  await page.keyboard.press("c");
  const compared = page.getByRole("region", { name: "Compare two pictures" });
  await expect(compared).toContainText("seed");
  await expect(compared.getByAltText(/^Left/)).toHaveAttribute("src", new RegExp(one.id));
  const slider = compared.getByRole("slider");
  await slider.fill("20");
  await expect(compared.locator("figure").first()).toHaveAttribute("style", /80%/);
});

test("a gallery picture is starred, used as input and deleted", async ({ page, complaints }) => {
  // A server of its own: what is deleted here, other journeys would miss.
  const server = await new Darkroom().start();
  try {
    const editor = new Editor(page, server.url);
    const made = await submit(server, { ...shipped("text-to-image"), name: "Kept" }, 60);
    const [file] = made.outputs["image"]?.files ?? [];
    await editor.open("?workflow=inpaint");
    await page.getByRole("button", { name: "Gallery", exact: true }).click();
    const gallery = page.getByRole("region", { name: "Gallery" });
    const picture = gallery.locator(".gallery-picture");
    await expect(picture).toHaveCount(1);
    await picture.focus();
    await page.keyboard.press("s");
    await expect(gallery.getByRole("button", { name: "Take the star away" })).toBeAttached();

    await dropPicture(page, page.locator(".form .picture-box").first(), file?.url ?? "");
    await expect
      .poll(async () => (await editor.exported()).nodes["picture"]?.inputs)
      .not.toMatchObject({ image: "postcard.png" });

    await picture.focus();
    await page.keyboard.press("Delete");
    const question = page.getByRole("alertdialog");
    await question.getByRole("button", { name: "Delete the file" }).click();
    await expect(picture).toHaveCount(0);
    // The run is still in the strip, and says that its picture is gone.
    await page.reload();
    const frame = page.locator(`[data-job-id="${made.id}"]`);
    await expect(frame.getByTitle("The file is not there any more.")).toBeVisible();
    expectRefusals(complaints, 410, "/outputs/");
  } finally {
    await page.goto("about:blank");
    await server.dispose();
  }
});
