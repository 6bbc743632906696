/** How long frames take, and other figures of a page that runs. */

import type { CDPSession, Page } from "@playwright/test";

import type { Editor } from "./editor";

declare global {
  interface Window {
    frameTimes?: number[];
  }
}

/** The milliseconds between the frames while something is done. */
export async function framesDuring(page: Page, work: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const times: number[] = [];
    window.frameTimes = times;
    const tick = (now: number) => {
      if (window.frameTimes !== times) return;
      times.push(now);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  await work();
  const times = await page.evaluate(() => {
    const found = window.frameTimes ?? [];
    delete window.frameTimes;
    return found;
  });
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

/** The value below which a share of all lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Bytes of the page's heap after what nobody needs is let go. */
export async function heapOf(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.enable");
  for (let time = 0; time < 3; time++) await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

/** Milliseconds until the page has painted something. */
export async function firstPaint(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          const first = list.getEntriesByName("first-contentful-paint")[0];
          if (first !== undefined) resolve(first.startTime);
        }).observe({ type: "paint", buffered: true });
      }),
  );
}

/** Milliseconds from asking for the page until the form and its button can be used. */
export async function usableAfter(page: Page, editor: Editor): Promise<number> {
  await page.goto(editor.url, { waitUntil: "commit" });
  const seen = await page.waitForFunction(() => {
    const buttons = [...document.querySelectorAll("button")];
    const isReady = buttons.some((each) => each.textContent === "Generate" && !each.disabled);
    const hasForm = document.querySelector("textarea, [data-node-id]") !== null;
    return isReady && hasForm && performance.now();
  });
  return Number(await seen.jsonValue());
}
