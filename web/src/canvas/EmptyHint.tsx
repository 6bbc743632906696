import { useHint } from "../panels/hint";
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
  const add = useHint(say("canvas.emptyAdd"), "graph.search");
  return (
    <div className="canvas-hint">
      <strong>{say(titles[state])}</strong>
      {state === "ready" && (
        <>
          <span>{add}</span>
          <span>{say("canvas.emptyDrop")}</span>
        </>
      )}
      {state === "failed" && (
        <button type="button" className="button" onClick={() => void load()}>
          {say("banner.retry")}
        </button>
      )}
    </div>
  );
}
