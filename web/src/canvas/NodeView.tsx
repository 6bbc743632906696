import { NodeResizeControl, type NodeProps } from "@xyflow/react";
import { memo, useContext, useEffect, useState } from "react";

import { mainName } from "../graph/types";
import type { NodeItem } from "./flow";
import { FieldRow } from "./FieldRow";
import { LevelContext, TurnsContext } from "./level";
import { NodeHead } from "./NodeHead";
import { NodePicture } from "./NodePicture";
import { NodeProblem } from "./NodeProblem";
import { Port } from "./Port";
import { useRunState } from "./runs";
import type { PortSpot } from "./shape";

const LEAST_WIDTH = 128;
/** Where a name may go on in the next line. */
const INNER_WORD = /(\p{Ll}|\d)(\p{Lu})/gu;

/** A node of any type, drawn from its schema; less of it the further away it is. */
export const NodeView = memo(function NodeView({ data, selected }: NodeProps<NodeItem>) {
  const level = useContext(LevelContext);
  const state = useRunState(data.id);
  const { node, place, title, shape, known } = data;
  const marks = {
    "data-node-id": data.id,
    "data-node-type": node.type,
    "data-run-state": state,
    "data-mode": node.mode ?? "normal",
    "data-selected": selected || undefined,
    "data-unknown": !known || undefined,
    "data-pinned": place.pinned === true || undefined,
  };
  if (level === "block") return <div className="node block" {...marks} />;
  if (level === "far")
    return (
      <div className="node far" {...marks}>
        <div className="far-title">{title.replace(INNER_WORD, "$1\u200b$2")}</div>
        {shape.picture && <NodePicture id={data.id} title={title} />}
      </div>
    );
  return (
    <div className="node" {...marks}>
      <Whole data={data} />
      {selected && place.pinned !== true && (
        <NodeResizeControl
          className="node-size"
          position="bottom-right"
          resizeDirection="horizontal"
          minWidth={LEAST_WIDTH}
        />
      )}
    </div>
  );
});

/** Everything of a node, once it is its turn; until then its title. */
function Whole({ data }: { readonly data: NodeItem["data"] }) {
  const turns = useContext(TurnsContext);
  const [isDrawn, setDrawn] = useState(() => turns?.take() ?? true);
  useEffect(() => (isDrawn ? undefined : turns?.wait(() => setDrawn(true))), [isDrawn, turns]);
  if (!isDrawn)
    return (
      <div className="node-head">
        <span className="node-title">{data.title}</span>
      </div>
    );
  return (
    <>
      <NodeHead data={data} />
      {data.place.collapsed === true ? <FoldedPorts data={data} /> : <NodeBody data={data} />}
      <NodeProblem data={data} />
    </>
  );
}

function NodeBody({ data }: { readonly data: NodeItem["data"] }) {
  const { shape, sources, title, id } = data;
  const count = Math.max(shape.links.length, shape.outputs.length);
  return (
    <>
      <div className="node-ports">
        {Array.from({ length: count }, (_, index) => {
          const [input, output] = [shape.links[index], shape.outputs[index]];
          return (
            <div className="port-row" key={index}>
              {input !== undefined && (
                <>
                  <Port node={id} title={title} spot={input} wired={input.name in sources} />
                  <Label spot={input} wired={input.name in sources} />
                </>
              )}
              {output !== undefined && (
                <>
                  <Label spot={output} wired={false} />
                  <Port node={id} title={title} spot={output} wired={false} />
                </>
              )}
            </div>
          );
        })}
      </div>
      {shape.fields.length > 0 && (
        <div className="node-fields">
          {shape.fields.map((spot) => (
            <FieldRow key={spot.name} data={data} spot={spot} />
          ))}
        </div>
      )}
      {shape.picture && <NodePicture id={id} title={title} />}
    </>
  );
}

function Label({ spot, wired }: { readonly spot: PortSpot; readonly wired: boolean }) {
  const isNeeded = spot.field?.required === true && !wired;
  return (
    <span className={`port-label of-${spot.side}`} data-required={isNeeded || undefined}>
      {labelOf(spot)}
    </span>
  );
}

/**
 * A collapsed node shows one port a side, where the wires of all end. The others are behind it:
 * keys reach them, and then their names are shown.
 */
function FoldedPorts({ data }: { readonly data: NodeItem["data"] }) {
  const { shape, sources, title, id } = data;
  const sides = [[...shape.links, ...shape.fields], shape.outputs];
  return (
    <div className="folded-ports">
      {sides.flatMap((spots) =>
        spots.map((spot, index) => (
          <div
            key={`${spot.side}:${spot.name}`}
            className={`folded-port of-${spot.side}`}
            data-behind={index > 0 || undefined}
          >
            <Port
              node={id}
              title={title}
              spot={spot}
              wired={spot.side === "in" && spot.name in sources}
            />
            <span className="folded-name" aria-hidden="true">
              {labelOf(spot)}
            </span>
          </div>
        )),
      )}
    </div>
  );
}

/** An output without a name of its own is called by what it is. */
const labelOf = ({ title, type }: PortSpot): string => (title === "" ? mainName(type) : title);
