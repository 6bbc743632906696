import { useStore } from "@xyflow/react";

import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { say } from "../words";
import type { Item } from "./flow";
import { Minimap } from "./Minimap";

/** The map and the zoom, in the lower left of the canvas. */
export function CanvasTools({ items }: { readonly items: readonly Item[] }) {
  const minimap = useEditor((state) => state.minimap);
  const view = useEditor((state) => state.view);
  const percent = useStore((store) => Math.round(store.transform[2] * 100));
  return (
    <div className="canvas-tools">
      {minimap && items.length > 0 && <Minimap items={items} />}
      <div className="zoom">
        <Tool icon="minus" text={say("canvas.zoomOut")} onClick={() => view?.zoomBy(1 / 1.25)} />
        <span className="zoom-level">{say("canvas.percent", { percent })}</span>
        <Tool icon="plus" text={say("canvas.zoomIn")} onClick={() => view?.zoomBy(1.25)} />
        <Tool icon="fit" text={say("canvas.fit")} onClick={() => view?.fit()} />
      </div>
    </div>
  );
}

interface ToolProps {
  readonly icon: "minus" | "plus" | "fit";
  readonly text: string;
  readonly onClick: () => void;
}

function Tool({ icon, text, onClick }: ToolProps) {
  return (
    <button type="button" className="icon-button" aria-label={text} title={text} onClick={onClick}>
      <Icon name={icon} small />
    </button>
  );
}
