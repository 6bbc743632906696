import { catalogueFrom, EMPTY_CATALOGUE, type Catalogue } from "../graph/catalogue";
import { readJson } from "../graph/json";
import { readText } from "../api/documents";
import { path } from "../api/request";
import type { Slice } from "./store";

export interface CatalogueSlice {
  /** The node types that the server can run; none until they were read. */
  readonly catalogue: Catalogue;
  readonly catalogueState: "loading" | "ready" | "failed";
  /** Read the node types, also anew after the server's packages have changed. */
  readonly loadCatalogue: () => Promise<void>;
}

export const catalogueSlice: Slice<CatalogueSlice> = (set, get) => ({
  catalogue: EMPTY_CATALOGUE,
  catalogueState: "loading",
  loadCatalogue: async () => {
    try {
      const catalogue = catalogueFrom(readJson(await readText(path("nodes"))));
      const isNew = catalogue.digest !== get().catalogue.digest || catalogue.digest === "";
      set(isNew ? { catalogue, catalogueState: "ready" } : { catalogueState: "ready" });
    } catch {
      // One that was read before is still good for drawing.
      set((state) => ({ catalogueState: state.catalogue.types.size > 0 ? "ready" : "failed" }));
    }
  },
});
