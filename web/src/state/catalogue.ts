import type { Slice } from "./store";

export interface CatalogueSlice {
  /** What the server can run, as it tells it; empty until it was read. */
  readonly nodeTypes: Readonly<Record<string, unknown>>;
  readonly catalogueState: "loading" | "ready" | "failed";
}

export const catalogueSlice: Slice<CatalogueSlice> = () => ({
  nodeTypes: {},
  catalogueState: "loading",
});
