import { useEffect } from "react";

import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say, sayCount } from "../words";
import { PlanCard } from "./PlanCard";
import { ProblemList } from "./ProblemList";
import { useHint } from "./hint";
import { percent } from "./measures";
import "./run.css";

/** Generate and Stop, with how far the run is, or what it would do: always in sight. */
export function RunBar() {
  useTitle();
  return (
    <div className="run-bar" role="group" aria-label={say("run.area")}>
      <div className="run-buttons">
        <GenerateButton />
        <FrontButton />
        <StopButton />
      </div>
      <RunProgress />
      <div className="run-notes">
        <ProblemList />
        <Waiting />
      </div>
    </div>
  );
}

function GenerateButton() {
  const generate = useEditor((state) => state.generate);
  const isBeginning = useEditor((state) => state.isBeginning);
  return (
    <button
      type="button"
      className="button filled run-generate"
      disabled={isBeginning}
      title={useHint(say("run.generate"), "run.generate")}
      onClick={() => void generate()}
    >
      <Icon name="play" small />
      {say("run.generate")}
    </button>
  );
}

function FrontButton() {
  const generate = useEditor((state) => state.generate);
  const hint = useHint(say("run.front"), "run.front");
  const waits = useEditor((state) => state.queue.length > 0);
  if (!waits) return null;
  return (
    <button
      type="button"
      className="icon-button framed"
      aria-label={say("run.front")}
      title={hint}
      onClick={() => void generate({ front: true })}
    >
      <Icon name="arrow-up" small />
    </button>
  );
}

function StopButton() {
  const stop = useEditor((state) => state.stop);
  const runs = useEditor((state) => state.progress !== null);
  return (
    <button
      type="button"
      className="button run-stop"
      title={useHint(say("run.stop"), "run.stop")}
      disabled={!runs}
      onClick={() => void stop()}
    >
      <Icon name="stop" small />
      {say("run.stopShort")}
    </button>
  );
}

function RunProgress() {
  const progress = useEditor((state) => state.progress);
  if (progress === null) return <PlanCard />;
  const done = percent(progress.fraction);
  const node = progress.node?.split("/").at(-1) ?? progress.name;
  return (
    <div className="run-progress">
      <div
        className="run-track"
        role="progressbar"
        aria-label={say("run.progress", { name: progress.name })}
        aria-valuenow={done}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <span style={{ width: `${done}%` }} />
      </div>
      <span className="run-at">{say("run.atNode", { node, percent: done })}</span>
    </div>
  );
}

function Waiting() {
  const queued = useEditor((state) => state.queue.length);
  const stuck = useEditor((state) => state.waiting.filter((each) => each.isStuck).length);
  return (
    <>
      {queued > 0 && <span className="run-note">{say("run.queued", { count: queued })}</span>}
      {stuck > 0 && (
        <span className="run-note warning">{sayCount("run.waiting", "run.waiting", stuck)}</span>
      )}
    </>
  );
}

/** The title of the browser's tab tells how far the run is. */
function useTitle() {
  const name = useEditor((state) => activeWorkflow(state).name);
  const done = useEditor((state) => state.progress && percent(state.progress.fraction));
  useEffect(() => {
    const own = `${name} · ${say("app.name")}`;
    document.title = done === null ? own : say("run.title", { percent: done, name: own });
  }, [name, done]);
}
