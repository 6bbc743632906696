/** Prints the figures of all measurements as one table, at the end. */

import type { Reporter, TestCase, TestResult } from "@playwright/test/reporter";

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly budget: number;
  readonly unit: string;
  /** Of the machine in the last minute: above its number of processors, figures are not the page's. */
  readonly load: number;
}

/** The kind of annotation by which a test tells a figure. */
export const FIGURE = "figure";

export default class Table implements Reporter {
  private readonly figures: Figure[] = [];

  onTestEnd(_: TestCase, result: TestResult): void {
    for (const { type, description } of result.annotations) {
      if (type === FIGURE) this.figures.push(JSON.parse(description ?? "") as Figure);
    }
  }

  onEnd(): void {
    const rows = [["", "measured", "budget", "load", ""], ...this.figures.map(shown)];
    const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
    const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
    console.log(`\n${lines.join("\n")}\n`);
  }

  printsToStdio(): boolean {
    return false;
  }
}

function shown({ what, value, budget, unit, load }: Figure): string[] {
  const number = value.toFixed(Math.abs(value) < 10 ? 2 : 0);
  return [
    what,
    `${number} ${unit}`,
    `${budget} ${unit}`,
    load.toFixed(1),
    value <= budget ? "" : "over",
  ];
}
