import { useRef, useState } from "react";
import type { ReactNode } from "react";

import { Icon } from "../look/Icon";
import { picturesOf } from "../state/gallery";
import type { Picture } from "../state/gallery";
import { shownJob } from "../state/shown";
import type { EditorState } from "../state/store";
import { useEditor } from "../state/store";
import { say } from "../words";
import { isSweep } from "./grid";
import { lightUp } from "./lighting";
import { SweepGrid } from "./SweepGrid";
import "./front.css";

interface Props {
  readonly children: ReactNode;
}

/** Whether the picture stands before the graph: beside the form, until "Show how". */
const isInFront = (state: EditorState): boolean =>
  state.dimmed && state.sideOpen && state.side === "form" && state.stage === null;

/** The graph; beside the form it is dimmed, and what it made stands large before it. */
export function Front({ children }: Props) {
  const isDimmed = useEditor(isInFront);
  const hasPicture = useEditor((state) => isDimmed && shownPicture(state) !== null);
  const change = useEditor((state) => state.changeSettings);
  const graph = useRef<HTMLDivElement>(null);
  return (
    <div
      className="front"
      data-dimmed={isDimmed || undefined}
      data-picture={hasPicture || undefined}
    >
      <div
        ref={graph}
        className="front-graph"
        // Whoever works at the graph wants to see it.
        onPointerDownCapture={() => isDimmed && change({ dimmed: false })}
      >
        {children}
      </div>
      {isDimmed && <Result onShow={() => graph.current} />}
    </div>
  );
}

/** The newest picture of what the active tab ran. */
function shownPicture(state: EditorState): Picture | null {
  const job = shownJob(state);
  return (job === null ? undefined : picturesOf(job).at(0)) ?? null;
}

/** The job of the active tab that was a sweep, once it has several pictures. */
function shownSweep(state: EditorState): string | null {
  const job = shownJob(state);
  return job !== null && isSweep(job) ? job.id : null;
}

/** The preview of a sampler at work. */
function livePreview(state: EditorState): string | null {
  const running = Object.values(state.nodeRuns).find(
    (run) => run.state === "running" && run.picture !== undefined,
  );
  return running?.picture ?? null;
}

interface ResultProps {
  readonly onShow: () => HTMLElement | null;
}

function Result({ onShow }: ResultProps) {
  const sweep = useEditor(shownSweep);
  const url = useEditor((state) => shownPicture(state)?.file.url ?? null);
  const preview = useEditor(livePreview);
  const fraction = useEditor((state) => state.progress?.fraction ?? null);
  const change = useEditor((state) => state.changeSettings);
  const order = useEditor((state) => {
    const job = shownJob(state);
    return job === null ? undefined : state.runs[job.id]?.order;
  });
  const source = preview ?? url;
  return (
    <section className="result" aria-label={say("result.title")}>
      {sweep !== null && preview === null ? (
        <div className="result-sweep">
          <SweepGrid id={sweep} />
        </div>
      ) : (
        source !== null && <Large key={source} source={source} isLive={preview !== null} />
      )}
      {fraction !== null && (
        <progress
          className="result-progress"
          value={fraction}
          aria-label={say("result.progress")}
        />
      )}
      <div className="result-foot">
        {source === null && <p>{say("result.none")}</p>}
        <button
          type="button"
          className="button"
          onClick={() => {
            change({ dimmed: false });
            lightUp(onShow(), order ?? []);
          }}
        >
          <Icon name="nodes" small />
          {say("result.showHow")}
        </button>
      </div>
    </section>
  );
}

function Large({ source, isLive }: { readonly source: string; readonly isLive: boolean }) {
  const [isGone, setIsGone] = useState(false);
  if (isGone) return <p className="notice warning">{say("viewer.gone")}</p>;
  return (
    <img
      className={isLive ? "result-picture live" : "result-picture"}
      src={source}
      alt={say(isLive ? "result.preview" : "result.picture")}
      draggable={false}
      onError={() => setIsGone(true)}
    />
  );
}
