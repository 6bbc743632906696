import { useRef, useState } from "react";
import type { ReactNode } from "react";

import { Icon } from "../look/Icon";
import { picturesOf } from "../state/gallery";
import type { Picture } from "../state/gallery";
import { shownJob } from "../state/shown";
import type { EditorState } from "../state/store";
import { useEditor } from "../state/store";
import { say } from "../words";
import { lightUp } from "./lighting";
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
  const url = useEditor((state) => shownPicture(state)?.file.url ?? null);
  const preview = useEditor(livePreview);
  const fraction = useEditor((state) => state.progress?.fraction ?? null);
  const change = useEditor((state) => state.changeSettings);
  const order = useEditor((state) => {
    const job = shownJob(state);
    return job === null ? undefined : state.runs[job.id]?.order;
  });
  const source = preview ?? url;
  const [gone, setGone] = useState<string | null>(null);
  return (
    <section className="result" aria-label={say("result.title")}>
      {source !== null && source === gone && <p className="notice warning">{say("viewer.gone")}</p>}
      {source !== null && source !== gone && (
        <img
          className={preview === null ? "result-picture" : "result-picture live"}
          src={source}
          alt={say(preview === null ? "result.picture" : "result.preview")}
          draggable={false}
          onError={() => setGone(source)}
        />
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
