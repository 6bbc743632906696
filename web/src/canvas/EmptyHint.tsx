import { useEditor } from "../state/store";
import { say } from "../words";

/** What an empty canvas says: how to fill it, or that the nodes are still on their way. */
export function EmptyHint() {
  const isReady = useEditor((state) => state.catalogue.types.size > 0);
  return (
    <div className="canvas-hint">
      <strong>{say(isReady ? "canvas.empty" : "canvas.starting")}</strong>
      {isReady && <span>{say("canvas.emptyHint")}</span>}
    </div>
  );
}
