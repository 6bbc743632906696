/** What is dropped onto the page, as from a folder or from another part of the page. */

import type { Locator, Page } from "@playwright/test";

export interface Dropped {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** Drop a file onto a part of the page. */
export async function dropFile(page: Page, target: Locator, file: Dropped): Promise<void> {
  const data = await page.evaluateHandle(
    ({ name, type, content }) => {
      const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type }));
      return transfer;
    },
    { name: file.name, type: file.type, content: file.bytes.toString("base64") },
  );
  await target.dispatchEvent("dragover", { dataTransfer: data });
  await target.dispatchEvent("drop", { dataTransfer: data });
}

/** Drop a picture of the gallery onto a part of the page. */
export async function dropPicture(page: Page, target: Locator, url: string): Promise<void> {
  const data = await page.evaluateHandle((picture) => {
    const transfer = new DataTransfer();
    transfer.setData("application/x-darkroom-picture", picture);
    return transfer;
  }, url);
  await target.dispatchEvent("dragover", { dataTransfer: data });
  await target.dispatchEvent("drop", { dataTransfer: data });
}

export const json = (name: string, document: unknown): Dropped => ({
  name,
  type: "application/json",
  bytes: Buffer.from(typeof document === "string" ? document : JSON.stringify(document)),
});
