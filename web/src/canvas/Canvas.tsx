import { ReactFlowProvider } from "@xyflow/react";

import "@xyflow/react/dist/base.css";
import "./canvas.css";
import "./nodes.css";
import "./ports.css";
import "./wires.css";
import "./annotations.css";
import { Board } from "./Board";

/** The graph, and everything that is done to it by pointer and by key. */
export function Canvas() {
  return (
    <ReactFlowProvider>
      <Board />
    </ReactFlowProvider>
  );
}
