import { say } from "../words";

/** What an empty canvas says. */
export function EmptyHint() {
  return (
    <div className="canvas-hint">
      <strong>{say("canvas.empty")}</strong>
      <span>{say("canvas.emptyHint")}</span>
    </div>
  );
}
