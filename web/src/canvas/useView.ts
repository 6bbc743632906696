import { useReactFlow } from "@xyflow/react";
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

import { nodeId } from "../graph/ids";
import type { CanvasView, Point, PortRef } from "../state/canvas";
import { useEditor } from "../state/store";
import { activeGraph } from "../state/tabs";
import type { Item } from "./flow";
import { boxOf } from "./places";
import { portsIn } from "./shape";
import { bringIntoSight, panToHead } from "./sight";
import type { Flow } from "./useFlow";

const MOVE = { duration: 180 } as const;

/** Give commands a hand on the canvas, for as long as it is there. */
export function useView(
  root: RefObject<HTMLDivElement | null>,
  flow: Flow,
  pointer: RefObject<Point | null>,
): void {
  const react = useReactFlow<Item>();
  const latest = useRef(flow);
  useLayoutEffect(() => {
    latest.current = flow;
  });
  const tab = useEditor((state) => state.activeTab);
  const path = useEditor((state) =>
    state.tabs.find(({ id }) => id === state.activeTab)?.path.join("/"),
  );
  useEffect(() => {
    const view = viewOf(root, latest, react, pointer);
    useEditor.getState().setView(view);
    return () => useEditor.getState().setView(null);
  }, [root, react, pointer]);
  // Another graph is shown from where it was left, or whole.
  const views = useRef(new Map<string, ReturnType<typeof react.getViewport>>());
  useEffect(() => {
    const key = `${tab} ${path ?? ""}`;
    const known = views.current.get(key);
    const kept = views.current;
    if (known !== undefined) void react.setViewport(known);
    // To show nothing wholly would wait for the first node, and then move the view away from it.
    else if (isEmpty()) void react.setViewport({ x: 0, y: 0, zoom: 1 });
    else setTimeout(() => void react.fitView({ padding: 0.12, maxZoom: 1 }), 0);
    return () => {
      kept.set(key, react.getViewport());
    };
  }, [tab, path, react]);
}

const isEmpty = (): boolean => Object.keys(activeGraph(useEditor.getState()).nodes).length === 0;

function viewOf(
  root: RefObject<HTMLDivElement | null>,
  flow: RefObject<Flow>,
  react: ReturnType<typeof useReactFlow<Item>>,
  pointer: RefObject<Point | null>,
): CanvasView {
  const scale = () => flow.current.measures.scale;
  const find = (id: string) => flow.current.items.find((item) => item.id === id);
  const goTo = (id: string, move: typeof bringIntoSight) => {
    const item = find(id);
    if (item === undefined) return;
    move(root.current, react, item);
    // It may have to be drawn first.
    requestAnimationFrame(() => focusOn(root.current, id, 20));
  };
  const middle = (): Point => {
    const box = root.current?.getBoundingClientRect() ?? new DOMRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  };
  const toCanvas = (at: Point): Point => {
    const place = react.screenToFlowPosition(at, { snapToGrid: false });
    return { x: Math.round(place.x / scale()), y: Math.round(place.y / scale()) };
  };
  return {
    pointer: () => pointer.current,
    toCanvas,
    toWindow: ({ x, y }) => react.flowToScreenPosition({ x: x * scale(), y: y * scale() }),
    middle: () => toCanvas(middle()),
    fit: (ids) => {
      const nodes = ids?.map((id) => ({ id }));
      void react.fitView({ padding: 0.12, maxZoom: 1, ...MOVE, ...(nodes ? { nodes } : {}) });
    },
    zoomBy: (factor) => void react.zoomTo(react.getZoom() * factor, MOVE),
    focusItem: (id) => goTo(id, bringIntoSight),
    focusAdded: (id) => goTo(id, panToHead),
    showItem: (id) => {
      const item = find(id);
      if (item !== undefined) bringIntoSight(root.current, react, item);
    },
    focusCanvas: () => {
      // A node that has the focus keeps it.
      if (document.activeElement?.matches(".react-flow__node") !== true)
        root.current?.focus({ preventScroll: true });
    },
    placeOf: (id) => {
      const item = find(id);
      if (item === undefined) return null;
      return { x: item.position.x / scale(), y: item.position.y / scale() };
    },
    boxOf: (id) => {
      const item = find(id);
      if (item === undefined) return null;
      const { x, y, width, height } = boxOf(item);
      const by = scale();
      return { x: x / by, y: y / by, width: width / by, height: height / by };
    },
    ports: () => portsAcross(flow.current),
  };
}

/** All ports, from left to right. */
const portsAcross = ({ items }: Flow): readonly PortRef[] =>
  items
    .filter((item) => item.type === "node")
    .toSorted((a, b) => a.position.x - b.position.x || a.position.y - b.position.y)
    .flatMap((item) =>
      portsIn(item.data.shape).map(({ side, name }) => ({ node: nodeId(item.id), side, name })),
    );

function focusOn(root: HTMLElement | null, id: string, tries: number): void {
  const element = root?.querySelector<HTMLElement>(
    `.react-flow__node[data-id="${CSS.escape(id)}"]`,
  );
  if (element != null) element.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusOn(root, id, tries - 1));
}
