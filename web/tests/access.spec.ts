/** What everybody needs to use the page: names, keys, sight, and no motion where none is wanted. */

import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures";

const ROLES = new Set([
  ..."button checkbox combobox dialog link listbox menuitem option radio searchbox".split(" "),
  ..."slider spinbutton switch tab textbox".split(" "),
]);

/** What can be used but has no name, as the browser tells it to a screen reader. */
async function nameless(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const found = nodes.filter(
    ({ ignored, role, name }) =>
      !ignored && ROLES.has(String(role?.value)) && String(name?.value ?? "").trim() === "",
  );
  const told: string[] = [];
  for (const { backendDOMNodeId, role } of found) {
    if (backendDOMNodeId === undefined) continue;
    const { outerHTML } = await session.send("DOM.getOuterHTML", {
      backendNodeId: backendDOMNodeId,
    });
    told.push(`${String(role?.value)}: ${outerHTML.slice(0, 160)}`);
  }
  await session.detach();
  return told;
}

async function settle(page: Page, settings: object): Promise<void> {
  await page.addInitScript((wanted) => {
    localStorage["darkroom.settings"] ??= JSON.stringify(wanted);
  }, settings);
}

for (const side of ["form", "inspect"] as const) {
  test(`everything on the page has a name, with ${side} open`, async ({ editor, page }) => {
    await settle(page, { side, drawer: "nodes", dimmed: false });
    await editor.open();
    // The server's first answer waits for its worker.
    await expect(page.locator("[data-node-id]").first()).toBeVisible({ timeout: 60_000 });
    if (side === "inspect") {
      await page.mouse.move(700, 300);
      await page.keyboard.press("Control+a");
    }
    expect(await nameless(page)).toEqual([]);
    for (const keys of ["w", "m", "a"]) {
      await page.keyboard.press(keys);
      expect(await nameless(page), `drawer of ${keys}`).toEqual([]);
    }
    for (const keys of ["Control+k", "Control+,", "Control+Shift+K", "Space"]) {
      await page.keyboard.press(keys);
      await expect(page.getByRole("dialog").first()).toBeVisible();
      expect(await nameless(page), keys).toEqual([]);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
    }
  });
}

test("the focus is seen, and stays in a dialog until it is closed", async ({
  toyEditor: editor,
  page,
}) => {
  await settle(page, { start: { kind: "blank" } });
  await editor.open();
  for (let press = 0; press < 12; press++) {
    await page.keyboard.press("Tab");
    const bare = await page.evaluate(() => {
      const own = document.activeElement;
      if (own === null || own === document.body) return null;
      const around = [own, own.parentElement].flatMap((each) => each ?? []);
      const isSeen = around.some((each) => {
        const { outlineStyle, boxShadow } = getComputedStyle(each);
        return outlineStyle !== "none" || boxShadow !== "none";
      });
      return isSeen ? null : own.outerHTML.slice(0, 160);
    });
    expect(bare).toBeNull();
  }
  for (const keys of ["Control+k", "Control+Shift+K", "Control+,"]) {
    await page.keyboard.press(keys);
    const dialog = page.getByRole("dialog");
    await expect(dialog).toBeVisible();
    for (let press = 0; press < 12; press++) {
      await page.keyboard.press(press < 9 ? "Tab" : "Shift+Tab");
      await expect
        .poll(
          () =>
            dialog.evaluate(
              (box) =>
                box.contains(document.activeElement) || document.activeElement === document.body,
            ),
          { message: `${keys}, Tab ${press + 1}` },
        )
        .toBe(true);
    }
    await page.keyboard.press("Escape");
    await expect(dialog).toHaveCount(0);
  }
});

test("at 200 % the run bar is whole and in reach", async ({ toyEditor: editor, page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await settle(page, { scale: 2, start: { kind: "blank" } });
  await editor.open();
  const box = await editor.generate.boundingBox();
  if (box === null) throw new Error("There is no Generate.");
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(1280);
  expect(box.y + box.height).toBeLessThanOrEqual(720);
  await editor.generate.click({ trial: true });
  expect(await editor.generate.evaluate((each) => each.scrollWidth <= each.clientWidth)).toBe(true);
});

test("nothing moves where no motion is wanted", async ({ toyEditor: editor, page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await settle(page, { start: { kind: "blank" }, drawer: "nodes" });
  await editor.open();
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll("*")].flatMap((each) => {
      const { transitionDuration, animationDuration } = getComputedStyle(each);
      const longest = Math.max(
        ...`${transitionDuration}, ${animationDuration}`.split(", ").map(Number.parseFloat),
      );
      return longest > 0.01 ? [`${each.outerHTML.slice(0, 80)} ${longest} s`] : [];
    }),
  );
  expect(moving).toEqual([]);
});
