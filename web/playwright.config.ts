import { existsSync } from "node:fs";

import { defineConfig } from "@playwright/test";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Figures instead of journeys: `npm run measure`. */
const measuring = process.env["MEASURE"] !== undefined;
const chromium = process.env["CHROMIUM"] ?? places.find((place) => existsSync(place));
if (chromium === undefined) {
  throw new Error(
    "There is no Chromium: install one (Debian: apt install chromium), or name it in CHROMIUM.",
  );
}

/** Journeys through the real page, against real servers that they start themselves. */
export default defineConfig({
  testDir: "tests",
  testMatch: measuring ? "measure.ts" : "*.spec.ts",
  outputDir: "test-results",
  workers: 1,
  retries: 1, // a machine that is busy with something else makes them late
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: measuring ? [["list"], ["./tests/table.ts"]] : [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    // A trace takes the whole page down at each step, which would be measured too.
    trace: measuring ? "off" : "retain-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    },
  },
});
