import { lazy, Suspense, useRef } from "react";

import { useEditor, type EditorState } from "../state/store";
import { Compare } from "./Compare";
import { useFocusReturn } from "./modal";
import { SweepGrid } from "./SweepGrid";
import { Viewer } from "./Viewer";

const Painter = lazy(async () => ({ default: (await import("../paint/Painter")).Painter }));
const FrameEditor = lazy(async () => ({
  default: (await import("../paint/FrameEditor")).FrameEditor,
}));

/** What is looked at in the centre, in place of the graph: nothing while the graph is shown. */
export function Stage() {
  const stage = useEditor((state) => state.stage);
  return stage === null ? null : <Shown stage={stage} />;
}

function Shown({ stage }: { readonly stage: NonNullable<EditorState["stage"]> }) {
  const box = useRef<HTMLDivElement>(null);
  const show = useEditor((state) => state.show);
  useFocusReturn(box);
  return (
    <div
      ref={box}
      className="stage"
      onKeyDown={(event) => {
        // Keys of the graph behind it must not act; those of commands are sorted out elsewhere.
        if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
        if (event.key === "Escape") show(null);
      }}
    >
      {stage.kind === "picture" && <Viewer key={stage.url} url={stage.url} />}
      {stage.kind === "compare" && <Compare left={stage.left} right={stage.right} />}
      {stage.kind === "sweep" && <SweepGrid id={stage.job} onClose={() => show(null)} />}
      <Suspense fallback={null}>
        {stage.kind === "paint" && <Painter place={stage} />}
        {stage.kind === "frame" && <FrameEditor place={stage} />}
      </Suspense>
    </div>
  );
}
