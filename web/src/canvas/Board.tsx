import {
  Background,
  ReactFlow,
  SelectionMode,
  type EdgeTypes,
  type NodeTypes,
} from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";

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
import { LevelContext, useLevel } from "./level";
import { NodeView } from "./NodeView";
import { useBoard } from "./useBoard";
import { useFlow } from "./useFlow";
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
const about = {
  "node.a11yDescription.default": say("canvas.aboutItem"),
  "node.a11yDescription.keyboardDisabled": say("canvas.aboutItem"),
  "edge.a11yDescription.default": say("canvas.aboutWire"),
};

/** Draws the graph and hands on what is done to it. */
export function Board() {
  const root = useRef<HTMLDivElement>(null);
  useKnownSizes();
  const flow = useFlow(commitShifts);
  const board = useBoard(root, flow);
  const pointer = usePointer(root, board);
  useView(root, flow, pointer.place, board);
  const level = useLevel(root);
  const wires = useSome(flow.wires, level === "near");
  const isSketched = level !== "near" || wires.length < flow.wires.length;
  const tool = useEditor((state) => state.tool);
  const isFaint = useEditor((state) => state.faintWires);
  const snap = useEditor((state) => state.snap);
  const isOpen = useEditor((state) => state.openWire !== null);
  const grid = SNAP * flow.measures.scale;

  useEffect(() => {
    if (!isOpen) board.draw(null, "");
  }, [isOpen, board]);
  const onDrag = useCallback(
    (_: unknown, __: Item, dragged: Item[]) => dropTarget(board, dragged),
    [board],
  );
  const onDragStop = useCallback(
    (event: MouseEvent | TouchEvent, _: Item, dragged: Item[]) => {
      const shifts = flow.shifts();
      if (event.altKey) duplicateShifted(shifts, board);
      else commitShifts(shifts, dragged);
      flow.clearShifts();
    },
    [flow, board],
  );
  return (
    <LevelContext value={level}>
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
        <ReactFlow<Item, WireItem>
          nodes={flow.items}
          edges={level === "near" ? wires : NO_WIRES}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={flow.onNodesChange}
          onEdgesChange={flow.onEdgesChange}
          onNodeDrag={onDrag}
          onNodeDragStop={onDragStop}
          onSelectionDrag={onSelectionDrag}
          onlyRenderVisibleElements
          minZoom={0.05}
          maxZoom={4}
          snapToGrid={snap}
          snapGrid={[grid, grid]}
          panOnDrag={tool === "hand" ? [0, 1] : [1]}
          zoomOnDoubleClick={false}
          deleteKeyCode={null}
          selectionKeyCode={null}
          panActivationKeyCode={null}
          zoomActivationKeyCode={null}
          multiSelectionKeyCode={["Shift", "Control", "Meta"]}
          selectionMode={SelectionMode.Partial}
          nodesConnectable={false}
          edgesFocusable={false}
          elevateNodesOnSelect={false}
          nodeDragThreshold={3}
          disableKeyboardA11y
          aria-label={say("canvas.title")}
          ariaLabelConfig={about}
        >
          {level !== "block" && (
            <Background id="dots" gap={grid * 3} size={1.5} color="var(--dots)" />
          )}
          {flow.items.length > 0 && <Ground items={flow.still} />}
          {isSketched && (
            <FarWires wires={flow.wires} items={flow.items} still={flow.still} moved={flow.moved} />
          )}
        </ReactFlow>
        <svg className="overlay" aria-hidden="true">
          <path />
        </svg>
        {flow.items.length === 0 && <EmptyHint />}
        <CanvasTools items={flow.items} />
      </div>
    </LevelContext>
  );
}

const onSelectionDrag = () => undefined;
