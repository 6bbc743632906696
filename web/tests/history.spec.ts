import type { Locator, Page } from "@playwright/test";

import type { Darkroom } from "./darkroom";
import { save, submit, toy, type JobTold } from "./documents";
import { expect, test } from "./fixtures";

const frame = (page: Page, job: JobTold): Locator => page.locator(`[data-job-id="${job.id}"]`);
const add = (server: Darkroom, name: string, a: number, wait = 0): Promise<JobTold> =>
  submit(server, toy(name, "Add", { a, b: 1.5 }), wait);

const waiting = async (server: Darkroom): Promise<string[]> => {
  const at = "/api/v1/jobs?queue=true&state=queued";
  const { jobs } = await server.ask<{ jobs: JobTold[] }>("GET", at);
  return jobs.map(({ id }) => id);
};

test.beforeEach(({ toys }) => save(toys, "sum", toy("Sum", "Add", { a: 9.5, b: 1.5 })));

test("what waits is put in another order, taken out and cleared", async ({
  toys,
  toyEditor,
  page,
}) => {
  await toyEditor.open("?workflow=sum");
  const long = await submit(toys, toy("long", "Wait", { seconds: 300.5 }));
  const a = await add(toys, "a", 1.5);
  const b = await add(toys, "b", 2.5);
  const c = await add(toys, "c", 3.5);
  await expect(frame(page, c)).toHaveAttribute("data-job-state", "queued");
  await expect(frame(page, long)).toHaveAttribute("data-job-state", "running");

  await frame(page, c).focus();
  await page.keyboard.press("Alt+ArrowLeft");
  await expect.poll(() => waiting(toys)).toEqual([a.id, c.id, b.id]);
  await frame(page, c).focus();
  await page.keyboard.press("Delete");
  await expect.poll(() => waiting(toys)).toEqual([a.id, b.id]);
  await page.getByRole("button", { name: "Clear the queue" }).click();
  await expect.poll(() => waiting(toys)).toEqual([]);
  await frame(page, long).focus();
  await page.keyboard.press("Delete");
  await expect(frame(page, long)).toHaveAttribute("data-job-state", "cancelled");
});

test("a run tells what is new in it, runs again, and opens its graph", async ({
  toys,
  toyEditor,
  page,
}) => {
  const before = await add(toys, "sum", 1.5, 30);
  const after = await add(toys, "sum", 2.5, 30);
  await toyEditor.open("?workflow=sum");
  await expect(frame(page, after)).toHaveAccessibleName(/sum, finished, a 1\.5 → 2\.5/);
  await frame(page, before).focus();
  await page.keyboard.press("o");
  await expect(page.getByRole("tab", { name: /^sum/ })).toBeVisible();
  expect((await toyEditor.exported()).nodes["only"]?.inputs).toMatchObject({ a: 1.5 });
  const count = await page.locator("[data-job-id]").count();
  await frame(page, after).focus();
  await page.keyboard.press("r");
  await expect(page.locator("[data-job-id]")).toHaveCount(count + 1);
  await frame(page, before).focus();
  await page.keyboard.press("Delete");
  await expect(frame(page, before)).toHaveCount(0);
});

test("older runs are read when they are asked for", async ({ toys, toyEditor, page }) => {
  const first = await add(toys, "first", 0.5, 30);
  for (let run = 0; run < 65; run += 1) await add(toys, "many", run + 0.25);
  await toyEditor.open("?workflow=sum");
  await expect(page.locator("[data-job-id]").nth(40)).toBeAttached();
  await expect(frame(page, first)).toHaveCount(0);
  await page.getByRole("button", { name: "Older" }).click();
  await expect(frame(page, first)).toHaveCount(1);
  await page.getByRole("button", { name: "Clear results" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Clear results" }).click();
  await expect(frame(page, first)).toHaveCount(0);
});
