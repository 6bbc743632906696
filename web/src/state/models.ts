/** The model files that the server has. */

import { createClient, type Client } from "../api/client";
import type { JsonRecord } from "../api/shapes";
import type { Slice } from "./store";

export interface ModelFile {
  readonly name: string;
  /** The folder's kind, as fields name it: `checkpoints`, `vae`. */
  readonly kind: string;
  readonly path: string;
  readonly bytes: number;
  readonly title: string;
  readonly family: string;
  /** Why it cannot be used; empty if it can. */
  readonly fault: string;
}

/** How far a list is that the server is asked for. */
export type Reading = "unread" | "reading" | "read" | "failed";

export interface ModelsSlice {
  readonly models: readonly ModelFile[];
  /** The folder in which they lie, each in that of its kind; null where one is not told. */
  readonly modelsFolder: string | null;
  readonly modelsReading: Reading;
  /** Read the list anew: what was put into the folders since, is there then. */
  readonly refreshModels: () => Promise<void>;
}

function modelFrom(json: JsonRecord): ModelFile {
  const text = (key: string) => {
    const value = json[key];
    return typeof value === "string" ? value : "";
  };
  const bytes = json["bytes"];
  return {
    name: text("name"),
    kind: text("kind"),
    path: text("path"),
    bytes: typeof bytes === "number" ? bytes : 0,
    title: text("title"),
    family: text("family"),
    fault: text("fault"),
  };
}

/** The slice with a server of one's own: for tests. */
export const modelsSliceIn =
  (server: Pick<Client, "listModels">): Slice<ModelsSlice> =>
  (set) => ({
    models: [],
    modelsFolder: null,
    modelsReading: "unread",
    refreshModels: async () => {
      set({ modelsReading: "reading" });
      try {
        const { models, folder } = await server.listModels();
        set({ models: models.map(modelFrom), modelsFolder: folder, modelsReading: "read" });
      } catch {
        // What was read before stays in sight; the panel says that it may be old.
        set({ modelsReading: "failed" });
      }
    },
  });

export const modelsSlice: Slice<ModelsSlice> = (...store) =>
  modelsSliceIn(createClient())(...store);
