import { useReactFlow } from "@xyflow/react";
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

import { nodeId } from "../graph/ids";
import type { CanvasView, Point } from "../state/canvas";
import { useEditor } from "../state/store";
import { activeGraph } from "../state/tabs";
import type { Item } from "./flow";
import { focusedIn, focusOn, itemIn, portIn, wireIn } from "./focus";
import type { Board } from "./gestures";
import { openMenuOf } from "./menus";
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
  board: Board,
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
    const view = viewOf({ root, flow: latest, react, pointer, board });
    useEditor.getState().setView(view);
    return () => useEditor.getState().setView(null);
  }, [root, react, pointer, board]);
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

interface Hand {
  readonly root: RefObject<HTMLDivElement | null>;
  readonly flow: RefObject<Flow>;
  readonly react: ReturnType<typeof useReactFlow<Item>>;
  readonly pointer: RefObject<Point | null>;
  readonly board: Board;
}

const viewOf = (hand: Hand): CanvasView => ({
  ...sightIn(hand),
  ...focusIn(hand),
  ...placesIn(hand),
});

const findIn = ({ flow }: Hand, id: string): Item | undefined =>
  flow.current.items.find((item) => item.id === id);

type Sight = Pick<
  CanvasView,
  "pointer" | "toCanvas" | "toWindow" | "middle" | "fit" | "zoomBy" | "showItem"
>;

/** What is seen, and where in the window that is. */
function sightIn(hand: Hand): Sight {
  const { root, flow, react, pointer } = hand;
  const scale = () => flow.current.measures.scale;
  const toCanvas = (at: Point): Point => {
    const place = react.screenToFlowPosition(at, { snapToGrid: false });
    return { x: Math.round(place.x / scale()), y: Math.round(place.y / scale()) };
  };
  return {
    pointer: () => pointer.current,
    toCanvas,
    toWindow: ({ x, y }) => react.flowToScreenPosition({ x: x * scale(), y: y * scale() }),
    middle: () => {
      const box = root.current?.getBoundingClientRect() ?? new DOMRect();
      return toCanvas({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
    },
    fit: (ids) => {
      const nodes = ids?.map((id) => ({ id }));
      void react.fitView({ padding: 0.12, maxZoom: 1, ...MOVE, ...(nodes ? { nodes } : {}) });
    },
    zoomBy: (factor) => void react.zoomTo(react.getZoom() * factor, MOVE),
    showItem: (id) => {
      const item = findIn(hand, id);
      if (item !== undefined) bringIntoSight(root.current, react, item);
    },
  };
}

type Focus = Pick<
  CanvasView,
  "focusItem" | "focusAdded" | "focusPort" | "focusWire" | "focusCanvas" | "hasFocus" | "openMenu"
>;

/** What has the focus, and the way to it. */
function focusIn(hand: Hand): Focus {
  const { root, react, board } = hand;
  const show = (id: string, move = bringIntoSight): boolean => {
    const item = findIn(hand, id);
    if (item !== undefined) move(root.current, react, item);
    return item !== undefined;
  };
  const goTo = (id: string, move = bringIntoSight) => {
    const isThere = show(id, move);
    // It may have to be drawn first.
    requestAnimationFrame(() => {
      if (!isThere) show(id, move);
      focusOn(() => itemIn(root.current, id));
    });
  };
  return {
    focusItem: (id) => goTo(id),
    focusAdded: (id) => goTo(id, panToHead),
    focusPort: (port) => {
      const find = () => portIn(root.current, port);
      if (find() === null) show(port.node);
      focusOn(find);
    },
    focusWire: (id) => {
      useEditor.getState().select([id]);
      requestAnimationFrame(() => focusOn(() => wireIn(root.current, id)));
    },
    focusCanvas: () => {
      // A thing that has the focus keeps it.
      if (document.activeElement?.matches(".react-flow__node, .react-flow__edge") !== true)
        root.current?.focus({ preventScroll: true });
    },
    hasFocus: () => focusedIn(root.current) !== null,
    openMenu: () => {
      const element = focusedIn(root.current);
      if (element !== null) openMenuOf(board, element);
    },
  };
}

/** Where things and ports are, in the document's measure. */
function placesIn(hand: Hand): Pick<CanvasView, "placeOf" | "boxOf" | "ports"> {
  const { flow } = hand;
  const own = (id: string) => {
    const item = findIn(hand, id);
    if (item === undefined) return null;
    const { x, y, width, height } = boxOf(item);
    const by = flow.current.measures.scale;
    return { x: x / by, y: y / by, width: width / by, height: height / by };
  };
  return {
    placeOf: own,
    boxOf: own,
    ports: () =>
      flow.current.items
        .filter((item) => item.type === "node")
        .toSorted((a, b) => a.position.x - b.position.x || a.position.y - b.position.y)
        .flatMap((item) =>
          portsIn(item.data.shape).map(({ side, name }) => ({ node: nodeId(item.id), side, name })),
        ),
  };
}
