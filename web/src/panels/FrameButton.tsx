import { typeNamed } from "../graph/catalogue";
import { frameFields } from "../graph/framing";
import { nodeAt } from "../graph/graphs";
import { Icon } from "../look/Icon";
import type { PictureInput } from "../state/gallery";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";

/** Opens the frame or box of a node on its picture; nothing for a node that has none. */
export function FrameButton({ path, node }: Omit<PictureInput, "input">) {
  const show = useEditor((state) => state.show);
  const isFraming = useEditor((state) => {
    const found = nodeAt(activeWorkflow(state), path, node);
    return found !== undefined && frameFields(typeNamed(state.catalogue, found.type)) !== null;
  });
  if (!isFraming) return null;
  return (
    <button type="button" className="button" onClick={() => show({ kind: "frame", path, node })}>
      <Icon name="fit" small />
      {say("frame.edit")}
    </button>
  );
}
