import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useLayoutEffect, useMemo, useRef, type RefObject } from "react";

import { mainName } from "../graph/types";
import { typeLook } from "../look/types";
import { useEditor } from "../state/store";
import type { Flow } from "./useFlow";
import type { Board } from "./gestures";
import { portsIn } from "./shape";

/** What gestures see of the canvas; the same object for as long as the canvas is there. */
export function useBoard(root: RefObject<HTMLDivElement | null>, flow: Flow): Board {
  const { screenToFlowPosition, flowToScreenPosition, getZoom } = useReactFlow();
  const store = useStoreApi();
  const latest = useRef(flow);
  useLayoutEffect(() => {
    latest.current = flow;
  });
  return useMemo(
    () => ({
      editor: useEditor.getState,
      items: () => latest.current.items,
      wires: () => latest.current.wires,
      scale: () => latest.current.measures.scale,
      toFlow: (at) => screenToFlowPosition(at, { snapToGrid: false }),
      toOverlay: (at) => {
        const place = flowToScreenPosition(at);
        const box = root.current?.getBoundingClientRect();
        return { x: place.x - (box?.left ?? 0), y: place.y - (box?.top ?? 0) };
      },
      zoom: getZoom,
      bounds: () => root.current?.getBoundingClientRect() ?? null,
      pan: (by) => void store.getState().panBy(by),
      draw: (kind, path, hue) => {
        const line = root.current?.querySelector<SVGPathElement>(".overlay path");
        line?.setAttribute("d", path);
        line?.setAttribute("class", kind ?? "");
        // Through the object model: the page's content policy refuses styles in attributes.
        line?.style.setProperty("--wire", hue ?? "");
      },
      hueOf: (port) => {
        const item = latest.current.items.find((each) => each.id === port.node);
        if (item?.type !== "node") return "var(--edge)";
        const spot = portsIn(item.data.shape).find(
          (each) => each.side === port.side && each.name === port.name,
        );
        return spot === undefined ? "var(--edge)" : typeLook(mainName(spot.type)).hue;
      },
    }),
    [root, store, screenToFlowPosition, flowToScreenPosition, getZoom],
  );
}
