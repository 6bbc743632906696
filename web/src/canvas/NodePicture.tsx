import type { NodeId } from "../graph/ids";
import { say } from "../words";
import { NodeResults } from "./NodeResults";
import { usePicture } from "./runs";

/** The last picture of a node, or the live preview while it works; always a small one. */
export function NodePicture({ id, title }: { readonly id: NodeId; readonly title: string }) {
  const picture = usePicture(id);
  return (
    <div className="node-picture">
      {picture !== undefined && (
        <img
          src={picture}
          alt={say("canvas.picture", { title })}
          loading="lazy"
          decoding="async"
          draggable={false}
        />
      )}
      <NodeResults id={id} title={title} />
    </div>
  );
}
