/** The node types that the server has. */

import { catalogueFrom, EMPTY_CATALOGUE, type Catalogue } from "../graph/catalogue";
import { readJson } from "../graph/json";
import { readText } from "../api/documents";
import { path } from "../api/request";
import type { Slice } from "./store";

export interface CatalogueSlice {
  /** The node types that the server can run; none until they were read. */
  readonly catalogue: Catalogue;
  /** `failed`: they could not be read, and it is tried again. */
  readonly catalogueState: "loading" | "ready" | "failed";
  /** Read the node types, also anew after the server's packages have changed. */
  readonly loadCatalogue: () => Promise<void>;
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

/** The slice with a source of its own: for tests. */
export const catalogueSliceIn =
  (read: () => Promise<string>): Slice<CatalogueSlice> =>
  (set, get) => {
    let pause = FIRST_PAUSE;
    let timer: ReturnType<typeof setTimeout> | undefined;
    return {
      catalogue: EMPTY_CATALOGUE,
      catalogueState: "loading",
      loadCatalogue: async () => {
        clearTimeout(timer);
        try {
          const catalogue = catalogueFrom(readJson(await read()));
          const isNew = catalogue.digest !== get().catalogue.digest || catalogue.digest === "";
          set(isNew ? { catalogue, catalogueState: "ready" } : { catalogueState: "ready" });
          pause = FIRST_PAUSE;
        } catch {
          // One that was read before is still good for drawing.
          if (get().catalogue.types.size > 0) {
            set({ catalogueState: "ready" });
            return;
          }
          set({ catalogueState: "failed" });
          timer = setTimeout(() => void get().loadCatalogue(), pause);
          pause = Math.min(pause * 2, LONGEST_PAUSE);
        }
      },
    };
  };

export const catalogueSlice: Slice<CatalogueSlice> = (...store) =>
  catalogueSliceIn(() => readText(path("nodes")))(...store);
