/** What is going on over the graph: a wire in the hand, a box, a menu, an overlay, notices. */

import type { NodeId } from "../graph/ids";
import type { Wire } from "../graph/wiring";
import { Fitting } from "./fitting";
import type { EditorState, SetState, Slice } from "./store";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One end that a wire has or may get. */
export interface PortRef {
  readonly node: NodeId;
  readonly side: "in" | "out";
  readonly name: string;
}

/** A wire of which one end is fixed and the other is being looked for. */
export interface OpenWire {
  readonly from: PortRef;
  /** The wire as it is so far, if it is one that is being moved. */
  readonly moved: Wire | null;
  readonly by: "pointer" | "keyboard";
}

/** What the search is for, and so what it offers. */
export type Purpose =
  | { readonly kind: "add" }
  | { readonly kind: "wire"; readonly from: PortRef }
  | { readonly kind: "insert"; readonly wire: Wire }
  | { readonly kind: "replace"; readonly node: NodeId };

/** What the context menu is about: an id as the selection has it, or the canvas. */
export type MenuTarget =
  | { readonly kind: "canvas" }
  | { readonly kind: "item"; readonly id: string; readonly port?: string };

/** What lies over the canvas; one at a time. `at` is a place in the window. */
export type Overlay =
  | { readonly kind: "search"; readonly at: Point; readonly purpose: Purpose }
  | { readonly kind: "menu"; readonly at: Point; readonly target: MenuTarget }
  | { readonly kind: "palette" }
  | { readonly kind: "keys" }
  | { readonly kind: "find" };

export interface Notice {
  readonly id: number;
  readonly kind: "info" | "warning" | "error";
  readonly text: string;
}

/** What the drawn canvas can do for commands. Places on the canvas are those of the document. */
export interface CanvasView {
  /** Where the pointer is over the canvas, in the window. */
  readonly pointer: () => Point | null;
  readonly toCanvas: (inWindow: Point) => Point;
  readonly toWindow: (onCanvas: Point) => Point;
  /** The middle of what is seen, on the canvas. */
  readonly middle: () => Point;
  readonly fit: (ids?: readonly string[]) => void;
  readonly zoomBy: (factor: number) => void;
  readonly focusItem: (id: string) => void;
  readonly focusPort: (port: PortRef) => void;
  /** Select a wire, and give it the focus once it can have it. */
  readonly focusWire: (id: string) => void;
  /** The same for what was just added: the view stays as it is where its head is in sight. */
  readonly focusAdded: (id: string) => void;
  /** Bring it into sight; the focus stays where it is. */
  readonly showItem: (id: string) => void;
  readonly focusCanvas: () => void;
  /** Whether something on the canvas has the focus, and no field in it. */
  readonly hasFocus: () => boolean;
  /** Open the menu of what has the focus on the canvas. */
  readonly openMenu: () => void;
  /** Where a thing stands, in the document's measure. */
  readonly placeOf: (id: string) => Point | null;
  readonly boxOf: (id: string) => Box | null;
  /** Every port of the graph, in the order in which keys go through them. */
  readonly ports: () => readonly PortRef[];
}

export interface CanvasSlice {
  readonly overlay: Overlay | null;
  readonly openWire: OpenWire | null;
  readonly view: CanvasView | null;
  /** The wire into which a node would be put if it were dropped now. */
  readonly wireUnder: string | null;
  /** What somebody has to be told, until it is put away. */
  readonly notices: readonly Notice[];
  readonly tool: "select" | "hand";
  /** What the live region says; a repeated text is said again. */
  readonly announcement: { readonly text: string; readonly count: number };
  readonly announce: (text: string) => void;
  readonly open: (overlay: Overlay) => void;
  readonly closeOverlay: () => void;
  readonly setOpenWire: (openWire: OpenWire | null) => void;
  /** Null while no wire is drawn, "ok" where it fits, else the reason why it does not. */
  readonly verdictOn: (port: PortRef) => string | null;
  readonly setView: (view: CanvasView | null) => void;
  readonly setWireUnder: (wire: string | null) => void;
  readonly notify: (kind: Notice["kind"], text: string) => void;
  readonly dismiss: (notice: number) => void;
  readonly setTool: (tool: "select" | "hand") => void;
}

export const canvasSlice: Slice<CanvasSlice> = (set, get) => ({
  ...wireInHand(set, get),
  overlay: null,
  view: null,
  wireUnder: null,
  notices: [],
  tool: "select",
  announcement: { text: "", count: 0 },
  announce: (text) =>
    set((state) => ({ announcement: { text, count: state.announcement.count + 1 } })),
  open: (overlay) => set({ overlay }),
  closeOverlay: () => set({ overlay: null }),
  setView: (view) => set({ view }),
  setWireUnder: (wireUnder) => {
    if (wireUnder !== get().wireUnder) set({ wireUnder });
  },
  notify: (kind, text) =>
    set(({ notices }) => {
      const others = notices.filter((each) => each.text !== text);
      const id = Math.max(0, ...notices.map((each) => each.id)) + 1;
      return { notices: [...others, { id, kind, text }].slice(-4) };
    }),
  dismiss: (id) => set(({ notices }) => ({ notices: notices.filter((each) => each.id !== id) })),
  setTool: (tool) => set({ tool }),
});

type InHand = Pick<CanvasSlice, "openWire" | "setOpenWire" | "verdictOn">;

function wireInHand(set: SetState, get: () => EditorState): InHand {
  const fitting = new Fitting();
  return {
    openWire: null,
    setOpenWire: (openWire) => set({ openWire }),
    verdictOn: (port) => fitting.verdictOn(get(), port),
  };
}
