/** The page as somebody uses it. It knows only what the page promises: names, roles, data attributes. */

import { expect, type Locator, type Page } from "@playwright/test";

export type RunState = "idle" | "queued" | "running" | "done" | "cached" | "error";
export type Way = "in" | "out";

interface Exported {
  readonly nodes: Readonly<Record<string, { readonly type: string; readonly inputs: object }>>;
}

export class Editor {
  constructor(
    readonly page: Page,
    readonly url: string,
  ) {}

  async open(query = ""): Promise<void> {
    await this.page.goto(`${this.url}/${query}`);
    await expect(this.page.locator("#root > *").first()).toBeVisible();
  }

  /** Drop a file onto the page, as from a folder. */
  async drop(name: string, content: string, type = "application/json"): Promise<void> {
    const data = await this.page.evaluateHandle(
      (file) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([file.content], file.name, { type: file.type }));
        return transfer;
      },
      { name, content, type },
    );
    const canvas = this.page.locator(".react-flow, #root > *").first();
    await canvas.dispatchEvent("dragover", { dataTransfer: data });
    await canvas.dispatchEvent("drop", { dataTransfer: data });
  }

  node(id: string): Locator {
    return this.page.locator(`[data-node-id="${id}"]`);
  }

  nodesOf(type: string): Locator {
    return this.page.locator(`[data-node-type="${type}"]`);
  }

  port(node: Locator, way: Way, name: string): Locator {
    return node.locator(`[data-port="${way}:${name}"]`);
  }

  /** A field of a node, wherever it is shown. */
  field(title: string, input: string): Locator {
    return this.page.getByLabel(`${title}, ${input}`, { exact: true });
  }

  get generate(): Locator {
    return this.page.getByRole("button", { name: "Generate", exact: true });
  }

  /** The workflow as it would be saved. */
  async exported(): Promise<Exported> {
    const exported: unknown = await this.page.evaluate("window.editor.export()");
    return exported as Exported;
  }

  /** Drag a wire by the mouse. */
  async connect(from: Locator, to: Locator): Promise<void> {
    const [start, end] = [await middle(from), await middle(to)];
    await this.page.mouse.move(start.x, start.y);
    await this.page.mouse.down();
    await this.page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 5 });
    await this.page.mouse.move(end.x, end.y, { steps: 5 });
    await this.page.mouse.up();
  }

  async expectRun(node: Locator, state: RunState, timeout = 60_000): Promise<void> {
    await expect(node).toHaveAttribute("data-run-state", state, { timeout });
  }

  /** Wait until the live region says something. */
  async heard(text: string | RegExp): Promise<void> {
    await expect(this.page.locator("[aria-live]").filter({ hasText: text })).toHaveCount(1);
  }
}

async function middle(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error(`${String(locator)} is not in sight`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
