import {
  Background,
  ReactFlow,
  SelectionMode,
  type EdgeTypes,
  type NodeTypes,
  type ReactFlowProps,
} from "@xyflow/react";
import { useCallback, useEffect, useRef, useState } from "react";

import { useEditor } from "../state/store";
import { say } from "../words";
import { FrameView, NoteView, RerouteView } from "./Annotations";
import { CanvasTools } from "./CanvasTools";
import { commitShifts, duplicateShifted, dropTarget } from "./dragging";
import { EmptyHint } from "./EmptyHint";
import { FarWires } from "./FarWires";
import type { Item, WireItem } from "./flow";
import { Ground } from "./Ground";
import { onCanvasKey } from "./keyboard";
import type { Board as GestureBoard } from "./gestures";
import { LevelContext, TurnsContext, useLevel, type Level } from "./level";
import { NodeView } from "./NodeView";
import { newTurns } from "./turns";
import { useBoard } from "./useBoard";
import { useFlow, type Flow } from "./useFlow";
import { useKnownSizes } from "./useKnownSizes";
import { useSome } from "./useSome";
import { usePointer } from "./usePointer";
import { useView } from "./useView";
import { WireView } from "./WireView";

const nodeTypes: NodeTypes = {
  node: NodeView,
  frame: FrameView,
  note: NoteView,
  reroute: RerouteView,
};
const edgeTypes: EdgeTypes = { wire: WireView };
const NO_WIRES: WireItem[] = [];
const SNAP = 8;

/** What React Flow is told once and for all. Keys, wires and menus are our own. */
const ways: ReactFlowProps<Item, WireItem> = {
  nodeTypes,
  edgeTypes,
  onSelectionDrag: () => undefined,
  onlyRenderVisibleElements: true,
  minZoom: 0.05,
  maxZoom: 4,
  zoomOnDoubleClick: false,
  deleteKeyCode: null,
  selectionKeyCode: null,
  panActivationKeyCode: null,
  zoomActivationKeyCode: null,
  multiSelectionKeyCode: ["Shift", "Control", "Meta"],
  selectionMode: SelectionMode.Partial,
  nodesConnectable: false,
  edgesFocusable: false,
  elevateNodesOnSelect: false,
  nodeDragThreshold: 3,
  disableKeyboardA11y: true,
  "aria-label": say("canvas.title"),
  ariaLabelConfig: {
    "node.a11yDescription.default": say("canvas.aboutItem"),
    "node.a11yDescription.keyboardDisabled": say("canvas.aboutItem"),
    "edge.a11yDescription.default": say("canvas.aboutWire"),
  },
};

/** Draws the graph and hands on what is done to it. */
export function Board() {
  const root = useRef<HTMLDivElement>(null);
  useKnownSizes();
  const flow = useFlow(commitShifts);
  const board = useBoard(root, flow);
  const pointer = usePointer(root, board);
  useView(root, flow, pointer.place, board);
  const [turns] = useState(newTurns);
  const level = useLevel(root, turns);
  const tool = useEditor((state) => state.tool);
  const isFaint = useEditor((state) => state.faintWires);
  const isOpen = useEditor((state) => state.openWire !== null);
  useEffect(() => {
    if (!isOpen) board.draw(null, "");
  }, [isOpen, board]);
  return (
    <LevelContext value={level}>
      <TurnsContext value={turns}>
        <div
          ref={root}
          className="canvas"
          data-tool={tool}
          data-level={level}
          data-faint={isFaint || undefined}
          data-wiring={isOpen || undefined}
          tabIndex={-1}
          {...pointer.handlers}
          onKeyDown={(event) => onCanvasKey(event, board)}
        >
          <Graph flow={flow} board={board} level={level} />
          <svg className="overlay" aria-hidden="true">
            <path />
          </svg>
          {flow.items.length === 0 && <EmptyHint />}
          <CanvasTools items={flow.items} />
        </div>
      </TurnsContext>
    </LevelContext>
  );
}

interface GraphProps {
  readonly flow: Flow;
  readonly board: GestureBoard;
  readonly level: Level;
}

/** The nodes and wires, as much of them as is drawn from this far. */
function Graph({ flow, board, level }: GraphProps) {
  const wires = useSome(flow.wires, level === "near");
  const isSketched = level !== "near" || wires.length < flow.wires.length;
  const snap = useEditor((state) => state.snap);
  const tool = useEditor((state) => state.tool);
  const grid = SNAP * flow.measures.scale;
  const drag = useDrag(flow, board);
  return (
    <ReactFlow<Item, WireItem>
      {...ways}
      {...drag}
      nodes={flow.items}
      edges={level === "near" ? wires : NO_WIRES}
      onNodesChange={flow.onNodesChange}
      onEdgesChange={flow.onEdgesChange}
      snapToGrid={snap}
      snapGrid={[grid, grid]}
      panOnDrag={tool === "hand" ? [0, 1] : [1]}
    >
      {level !== "block" && <Background id="dots" gap={grid * 3} size={1.5} color="var(--dots)" />}
      {flow.items.length > 0 && <Ground items={flow.still} />}
      {isSketched && (
        <FarWires wires={flow.wires} items={flow.items} still={flow.still} moved={flow.moved} />
      )}
    </ReactFlow>
  );
}

/** What follows from a drag, while it goes on and once it ends. */
function useDrag(flow: Flow, board: GestureBoard) {
  const onNodeDrag = useCallback(
    (_: unknown, __: Item, dragged: Item[]) => dropTarget(board, dragged),
    [board],
  );
  const onNodeDragStop = useCallback(
    (event: MouseEvent | TouchEvent, _: Item, dragged: Item[]) => {
      const shifts = flow.shifts();
      if (event.altKey) duplicateShifted(shifts, board);
      else commitShifts(shifts, dragged);
      flow.clearShifts();
    },
    [flow, board],
  );
  return { onNodeDrag, onNodeDragStop };
}
