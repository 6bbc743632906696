/** Masks that are being painted, kept in the browser stroke by stroke until they are done. */

import { Drafts, type DraftFault } from "../state/drafts";
import type { PictureInput } from "../state/gallery";
import type { EditorState } from "../state/store";
import { activeTab } from "../state/tabs";
import { addressOf } from "./maskfile";
import type { Mask } from "./raster";

/** What nobody came back to for so long is let go of. */
const KEPT = 30 * 24 * 3600 * 1000;

const layers = new Drafts("darkroom-layers");

/** What names the layer of an image input. */
export function layerId(state: EditorState, { path, node, input }: PictureInput): string {
  return [activeTab(state).id, ...path, node, input].join("/");
}

/** The layer that was not finished, as the address of a picture; null if there is none. */
export async function unfinished(id: string): Promise<string | null> {
  await forgetOld();
  return (await layers.one(id))?.content ?? null;
}

/** One layer as it is written: never two writings at once, and the last stroke wins. */
export class Layer {
  private writing: Promise<DraftFault | null> = Promise.resolve(null);

  constructor(private readonly id: string) {}

  /** Keep the mask as it is now, so that leaving the page loses no stroke; what went wrong. */
  keep(mask: Mask): Promise<DraftFault | null> {
    const content = addressOf(mask);
    return this.after(() => layers.keep({ id: this.id, owner: "", place: Date.now(), content }));
  }

  /** It is done, or given up. */
  async drop(): Promise<void> {
    await this.after(() => layers.drop(this.id));
  }

  private after(act: () => Promise<DraftFault | null>): Promise<DraftFault | null> {
    this.writing = this.writing.then(act);
    return this.writing;
  }
}

async function forgetOld(): Promise<void> {
  const all = await layers.all().catch(() => []);
  const old = all.filter(({ place }) => place < Date.now() - KEPT);
  await Promise.all(old.map(({ id }) => layers.drop(id)));
}
