import { Glyph } from "../look/Glyph";
import type { NodeId } from "../graph/ids";
import { mainName, typeText } from "../graph/types";
import { useEditor } from "../state/store";
import { say } from "../words";
import type { PortSpot } from "./shape";

interface Props {
  readonly node: NodeId;
  readonly title: string;
  readonly spot: PortSpot;
  readonly wired: boolean;
}

/** One end of wires. All that can be done to it is listened for by the canvas. */
export function Port({ node, title, spot, wired }: Props) {
  const { side, name, field } = spot;
  const verdict = useEditor((state) => state.verdictOn({ node, side, name }));
  const type = typeText(spot.type);
  const label = say(side === "in" ? "canvas.input" : "canvas.output", {
    title,
    port: spot.title === "" ? name : spot.title,
    type,
  });
  const of = field !== null && field.kind !== "link" ? " of-field" : "";
  return (
    <button
      type="button"
      className={`port of-${side}${of} nodrag nopan`}
      tabIndex={-1}
      data-port={`${side}:${name}`}
      data-port-type={type}
      data-wired={wired || undefined}
      data-compatible={verdict === null ? undefined : verdict === "ok"}
      aria-label={verdict === null || verdict === "ok" ? label : `${label}. ${verdict}`}
      title={verdict === null || verdict === "ok" ? type : verdict}
    >
      <span className="port-mark">
        <Glyph type={mainName(spot.type)} />
      </span>
    </button>
  );
}
