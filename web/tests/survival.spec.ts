/** What would end a lesser page: broken files, a login that has run out, a server that is not ready. */

import { expectRefusals, save, submit, toy } from "./documents";
import { json, dropFile } from "./dropping";
import { expect, test } from "./fixtures";

test.beforeEach(({ toys }) => save(toys, "sum", toy("Sum", "Add", { a: 9.5, b: 1.5 })));

test("a workflow with a broken view opens, is kept whole, and opens again", async ({
  toyEditor,
  page,
}) => {
  const broken = {
    ...toy("Broken", "Add", { a: 1.5, b: 0.5 }),
    view: { notes: [{ id: "a" }], nodes: { only: { x: 40, y: 40, title: { en: "Sum" } } } },
  };
  await toyEditor.open();
  await dropFile(page, page.locator(".react-flow"), json("broken.json", broken));
  await expect(toyEditor.node("only")).toBeVisible();
  await expect(page.locator(".notices")).toContainText("2 things about where");
  expect(await toyEditor.exported()).toMatchObject({
    view: { notes: [], unread: [{ value: { id: "a" } }, { node: "only" }] },
  });
  await page.waitForTimeout(1000); // a draft is written a moment after the edit
  await page.reload();
  await expect(toyEditor.node("only")).toBeVisible();
});

test("somebody whose login has run out finds the way back, and the run is sent then", async ({
  toyEditor,
  page,
  complaints,
}) => {
  await toyEditor.open("?workflow=sum");
  await expect(toyEditor.node("only")).toBeAttached();
  const body = { type: "about:blank", title: "Unauthorized", status: 401, code: "unauthorized" };
  const jobs = /\/api\/v1\/jobs$/;
  await page.route(jobs, (route) =>
    route.request().method() === "POST"
      ? route.fulfill({ status: 401, json: body, contentType: "application/problem+json" })
      : route.fallback(),
  );
  await toyEditor.generate.click();
  const banner = page.getByRole("alert").filter({ hasText: "You are signed out" });
  await expect(banner.getByRole("link", { name: "Sign in" })).toHaveAttribute(
    "href",
    "/login?next=%2F%3Fworkflow%3Dsum",
  );
  await page.unroute(jobs);
  await page.reload(); // as the login page does
  await toyEditor.expectRun(toyEditor.node("only"), "done");
  await expect(banner).toHaveCount(0);
  expectRefusals(complaints, 401, "/api/v1/jobs");
});

test("nodes that cannot be read at first are there once the server has them", async ({
  toyEditor,
  page,
  complaints,
}) => {
  let isReady = false;
  await page.route(/\/api\/v1\/nodes$/, (route) =>
    isReady ? route.fallback() : route.fulfill({ status: 503, json: {} }),
  );
  await toyEditor.open("?workflow=none");
  await expect(page.getByText("The server's nodes cannot be read")).toBeVisible();
  isReady = true;
  await expect(page.getByText("The server's nodes cannot be read")).toHaveCount(0);
  await page.locator(".react-flow__pane").dblclick({ position: { x: 300, y: 200 } });
  await page.keyboard.type("Add");
  await page.keyboard.press("Enter");
  await expect(toyEditor.nodesOf("Add")).toHaveCount(1);
  expectRefusals(complaints, 503, "/api/v1/nodes");
  expectRefusals(complaints, 404, "/workflows/none");
});

test("a link to a run opens its graph with what came of it", async ({ toys, toyEditor }) => {
  const run = await submit(toys, toy("Linked", "Add", { a: 4.5, b: 1.5 }), 60);
  await toyEditor.open(`?run=${run.id}`);
  await toyEditor.expectRun(toyEditor.node("only"), "done");
  expect((await toyEditor.exported()).nodes["only"]?.inputs).toMatchObject({ a: 4.5 });
});

test("results are cleared only after a question", async ({ toys, toyEditor, page }) => {
  const run = await submit(toys, toy("Old", "Add", { a: 5.5, b: 1.5 }), 60);
  await toyEditor.open("?workflow=sum");
  const frame = page.locator(`[data-job-id="${run.id}"]`);
  const clear = page.getByRole("button", { name: "Clear results" });
  await clear.first().click();
  const question = page.getByRole("dialog", { name: /out of the list and out of the gallery/ });
  await question.getByRole("button", { name: "Cancel" }).click();
  await expect(frame).toBeVisible();
  await clear.first().click();
  await question.getByRole("button", { name: "Clear results" }).click();
  await expect(frame).toHaveCount(0);
});
