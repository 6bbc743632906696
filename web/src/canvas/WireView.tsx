import { useStore, type EdgeProps } from "@xyflow/react";
import { memo } from "react";

import { typeLook } from "../look/types";
import { useEditor } from "../state/store";
import { pathThrough } from "./curves";
import type { WireItem } from "./flow";

/** A wire in the colour of its type, past its bends. */
export const WireView = memo(function WireView(props: EdgeProps<WireItem>) {
  const { data, sourceX, sourceY, targetX, targetY } = props;
  const course = useEditor((state) => state.wires);
  const isTarget = useEditor((state) => state.wireUnder === props.id);
  const bends = useBends(data?.reroutes ?? none);
  if (data === undefined) return null;
  const points = [{ x: sourceX, y: sourceY }, ...bends, { x: targetX, y: targetY }];
  const path = pathThrough(points, course);
  return (
    <>
      <path
        className="wire"
        d={path}
        style={{ stroke: typeLook(data.type).hue }}
        data-muted={data.muted || undefined}
        data-near={data.near || undefined}
        data-target={isTarget || undefined}
      />
      <path className="react-flow__edge-interaction" d={path} strokeWidth={16} strokeOpacity={0} />
    </>
  );
});

const none: readonly string[] = [];

/** Where the bends are now, also while they are dragged. */
function useBends(ids: readonly string[]): readonly { readonly x: number; readonly y: number }[] {
  const places = useStore((store) =>
    ids
      .map((id) => {
        const item = store.nodeLookup.get(id);
        if (item === undefined) return "";
        const { x, y } = item.internals.positionAbsolute;
        return `${x + (item.width ?? 0) / 2},${y + (item.height ?? 0) / 2}`;
      })
      .join(" "),
  );
  return places
    .split(" ")
    .filter((place) => place !== "")
    .map((place) => {
      const [x = 0, y = 0] = place.split(",").map(Number);
      return { x, y };
    });
}
