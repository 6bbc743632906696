import { thumbnailUrl } from "../api/client";
import type { NodeId } from "../graph/ids";
import { useEditor } from "../state/store";
import { say } from "../words";
import { useResults } from "./runs";

const SMALL = 64;

/** The last few pictures of a node under the one that it shows: a press looks at one. */
export function NodeResults({ id, title }: { readonly id: NodeId; readonly title: string }) {
  const results = useResults(id);
  const show = useEditor((state) => state.show);
  if (results === undefined) return null;
  return (
    <ul className="node-results nodrag" aria-label={say("canvas.results", { title })}>
      {results.map((url, index) => (
        <li key={url}>
          <button
            type="button"
            tabIndex={-1}
            aria-label={say("canvas.result", { number: index + 1, count: results.length })}
            onClick={() => show({ kind: "picture", url })}
          >
            <img src={thumbnailUrl(url, SMALL)} alt="" loading="lazy" draggable={false} />
          </button>
        </li>
      ))}
    </ul>
  );
}
