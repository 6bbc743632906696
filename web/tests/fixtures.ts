/** What journeys are given: servers, the page, and a watch over what a page must never do. */

import { test as base, expect, type Page } from "@playwright/test";

import { Darkroom } from "./darkroom";
import { Editor } from "./editor";

interface PerWorker {
  /** A server with the nodes and the model that come with Darkroom. */
  readonly darkroom: Darkroom;
  /** A server with nodes that fail, wait and crash at will. */
  readonly toys: Darkroom;
}

interface PerTest {
  /** The page of `darkroom`, not opened yet. */
  readonly editor: Editor;
  /** The page of `toys`, not opened yet. */
  readonly toyEditor: Editor;
  /** What went wrong on the page so far; a journey that expects some takes it out. */
  readonly complaints: string[];
}

export const test = base.extend<PerTest, PerWorker>({
  darkroom: [
    async ({}, give) => {
      const server = await new Darkroom().start();
      await give(server);
      await server.dispose();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  toys: [
    async ({}, give) => {
      const server = await new Darkroom({ nodes: "tests.toys" }).start();
      await give(server);
      await server.dispose();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  complaints: [
    async ({ page }, give) => {
      const complaints: string[] = [];
      watch(page, complaints);
      await give(complaints);
      expect(complaints, "the page complained, or asked another machine").toEqual([]);
    },
    { auto: true },
  ],
  editor: async ({ page, darkroom }, give) => {
    await give(new Editor(page, darkroom.url));
  },
  toyEditor: async ({ page, toys }, give) => {
    await give(new Editor(page, toys.url));
  },
});

export { expect };

function watch(page: Page, complaints: string[]): void {
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url, lineNumber, columnNumber } = message.location();
    // How the server tells what an unfinished workflow lacks; the browser notes every 422 down.
    if (url.endsWith("/api/v1/plan") && message.text().includes("422")) return;
    complaints.push(`console: ${message.text()} (${url}:${lineNumber}:${columnNumber})`);
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const own = hostname === "127.0.0.1" || protocol === "data:" || protocol === "blob:";
    if (!own) complaints.push(`asked ${request.url()}`);
  });
}
