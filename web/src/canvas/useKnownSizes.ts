import { useStoreApi } from "@xyflow/react";
import { useState } from "react";

/**
 * Keeps React Flow from measuring what is drawn: the size and the ports of everything are known from the schema.
 * What it measured of a node whose ports are not drawn yet, or not at all from far away, had none, and lost its wires.
 */
export function useKnownSizes(): void {
  const store = useStoreApi();
  // Before the first thing is drawn: what watches over sizes takes the function that it finds then.
  useState(() => store.setState({ updateNodeInternals: () => undefined }));
}
