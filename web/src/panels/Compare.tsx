import { useEffect, useMemo, useRef, useState } from "react";

import { jobIdIn } from "../state/gallery";
import { changes, shortly, type Change } from "../state/changes";
import { useEditor } from "../state/store";
import { Radios } from "../widgets/Radios";
import { say } from "../words";
import { ownOf } from "./difference";
import { clock } from "./measures";
import { Tool } from "./Viewer";
import { transformOf, useZoom } from "./zooming";
import "./stage.css";

interface Props {
  readonly left: string;
  readonly right: string;
}

/** Two pictures over each other with a slider between them, and what differs in their graphs. */
export function Compare({ left, right }: Props) {
  const show = useEditor((state) => state.show);
  const found = useChanges(left, right);
  const labels = { left: useLabel(left, "left", found), right: useLabel(right, "right", found) };
  const [share, setShare] = useState(50);
  const [isWipe, setIsWipe] = useState(true);
  const area = useRef<HTMLDivElement>(null);
  const { zoom, handlers } = useZoom(area);
  useEffect(() => area.current?.querySelector("input")?.focus(), []);
  const transform = transformOf(zoom);
  return (
    <section className="viewer compare" aria-label={say("compare.label")}>
      <div className="stage-bar">
        <Radios
          label={say("compare.mode")}
          choices={["wipe", "side"]}
          chosen={isWipe ? "wipe" : "side"}
          onChoose={(mode) => setIsWipe(mode === "wipe")}
        >
          {(mode) => say(`compare.${mode}`)}
        </Radios>
        <span className="stage-gap" />
        <Tool
          icon="swap"
          label={say("compare.swap")}
          onAct={() => show({ kind: "compare", left: right, right: left })}
        />
        <Tool icon="close" label={say("viewer.close")} onAct={() => show(null)} />
      </div>
      <div
        ref={area}
        className={isWipe ? "viewer-area wipe" : "viewer-area beside"}
        {...(isWipe ? {} : handlers)}
      >
        <figure style={isWipe ? { clipPath: `inset(0 ${100 - share}% 0 0)` } : {}}>
          <img src={left} alt={labels.left} draggable={false} style={isWipe ? {} : { transform }} />
        </figure>
        <figure style={isWipe ? { clipPath: `inset(0 0 0 ${share}%)` } : {}}>
          <img
            src={right}
            alt={labels.right}
            draggable={false}
            style={isWipe ? {} : { transform }}
          />
        </figure>
        <HalfLabel side="left" text={labels.left} isSeen={!isWipe || share > 6} />
        <HalfLabel side="right" text={labels.right} isSeen={!isWipe || share < 94} />
        {isWipe && (
          <>
            <span className="wipe-line" style={{ left: `${share}%` }} aria-hidden="true" />
            <input
              type="range"
              className="wipe-slider"
              aria-label={say("compare.slider")}
              min={0}
              max={100}
              step={0.5}
              value={share}
              onChange={(event) => setShare(event.target.valueAsNumber)}
            />
          </>
        )}
      </div>
      <Differences found={found} />
    </section>
  );
}

/** Says over a half which run it is of, and what is its own. */
function HalfLabel(props: {
  readonly side: "left" | "right";
  readonly text: string;
  readonly isSeen: boolean;
}) {
  const { side, text, isSeen } = props;
  return (
    <p className={`half-label ${side}`} data-seen={isSeen} aria-hidden="true">
      {text}
    </p>
  );
}

function useChanges(left: string, right: string): readonly Change[] | undefined {
  const read = useEditor((state) => state.readDocument);
  const before = useEditor((state) => state.documents[jobIdIn(left)]);
  const after = useEditor((state) => state.documents[jobIdIn(right)]);
  useEffect(() => {
    for (const url of [left, right]) void read(jobIdIn(url)).catch(useEditor.getState().report);
  }, [read, left, right]);
  return useMemo(() => before && after && changes(before, after), [before, after]);
}

/** Which run a picture is of, and what of it the other has otherwise. */
function useLabel(
  url: string,
  side: "left" | "right",
  found: readonly Change[] | undefined,
): string {
  const job = useEditor((state) => state.jobs[jobIdIn(url)]);
  const run =
    job === undefined
      ? say("compare.aRun")
      : say("compare.run", { number: job.number, time: clock(job.finished ?? job.created) });
  return [say(`compare.${side}`), run, ...ownOf(found ?? [], side)].join(" · ");
}

function Differences({ found }: { readonly found: readonly Change[] | undefined }) {
  return (
    <aside className="details" aria-label={say("compare.differs")}>
      <h2>{say("compare.differs")}</h2>
      {found === undefined && <p className="quiet">{say("compare.unknown")}</p>}
      {found?.length === 0 && <p className="quiet">{say("compare.same")}</p>}
      <dl>
        {found?.map((change) => (
          <div key={`${change.node} ${change.input} ${change.kind}`}>
            <dt>{change.input === "" ? change.title : `${change.title}, ${change.input}`}</dt>
            <dd>
              <Values change={change} />
            </dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}

function Values({ change }: { readonly change: Change }) {
  if (change.kind !== "changed") {
    return <span>{say(change.kind === "added" ? "compare.added" : "compare.removed")}</span>;
  }
  return (
    <>
      <del>{shortly(change.before, 400)}</del>
      <ins>{shortly(change.after, 400)}</ins>
    </>
  );
}
