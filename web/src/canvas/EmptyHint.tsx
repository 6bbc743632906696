import { useEditor } from "../state/store";
import { say } from "../words";

const titles = {
  ready: "canvas.empty",
  loading: "canvas.starting",
  failed: "canvas.noNodes",
} as const;

/** What an empty canvas says: how to fill it, or that the nodes are still on their way. */
export function EmptyHint() {
  const state = useEditor((editor) =>
    editor.catalogue.types.size > 0 ? "ready" : editor.catalogueState,
  );
  const load = useEditor((editor) => editor.loadCatalogue);
  return (
    <div className="canvas-hint">
      <strong>{say(titles[state])}</strong>
      {state === "ready" && <span>{say("canvas.emptyHint")}</span>}
      {state === "failed" && (
        <button type="button" className="button" onClick={() => void load()}>
          {say("banner.retry")}
        </button>
      )}
    </div>
  );
}
