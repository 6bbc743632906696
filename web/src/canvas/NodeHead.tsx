import { Icon, type IconName } from "../look/Icon";
import type { RunState } from "../state/running";
import { useEditor } from "../state/store";
import { say } from "../words";
import { LineField } from "./LineField";
import type { NodeData } from "./flow";
import { useProgress, useRunState } from "./runs";

const stateIcons: Readonly<Record<RunState, IconName | null>> = {
  idle: null,
  queued: "queue",
  running: "play",
  done: "check",
  cached: "clock",
  error: "error",
};

/** The title of a node, what it is doing, and how it is collapsed. */
export function NodeHead({ data }: { readonly data: NodeData }) {
  const { id, node, place, title } = data;
  const isRenaming = useEditor((state) => state.renaming === id);
  const collapse = useEditor((state) => state.collapse);
  const rename = useEditor((state) => state.rename);
  const isFolded = place.collapsed === true;
  return (
    <div className="node-head" title={data.type?.summary}>
      {isRenaming ? (
        <TitleField id={id} title={title} />
      ) : (
        <span className="node-title" onDoubleClick={() => rename(id)}>
          {title}
        </span>
      )}
      <NodeMark data={data} />
      {node.mode === "mute" && <Mark icon="mute" text={say("canvas.muted")} />}
      {node.mode === "bypass" && <Mark icon="bypass" text={say("canvas.bypassed")} />}
      {place.wiresHidden === true && <Mark icon="unlink" text={say("canvas.wiresHidden")} />}
      {place.pinned === true && <Mark icon="pin" text={say("canvas.pinned")} />}
      <button
        type="button"
        className="node-fold nodrag"
        tabIndex={-1}
        aria-expanded={!isFolded}
        aria-label={say(isFolded ? "canvas.unfold" : "canvas.fold", { title })}
        onClick={() => collapse([id], !isFolded)}
      >
        <Icon name={isFolded ? "chevron-right" : "chevron-down"} small />
      </button>
    </div>
  );
}

function Mark({ icon, text }: { readonly icon: IconName; readonly text: string }) {
  return (
    <span className="node-mark" title={text} role="img" aria-label={text}>
      <Icon name={icon} small />
    </span>
  );
}

function NodeMark({ data }: { readonly data: NodeData }) {
  const state = useRunState(data.id);
  const progress = useProgress(data.id);
  const icon = stateIcons[state];
  if (icon === null || state === "idle") return null;
  const text = say(`canvas.${state}`);
  return (
    <>
      <span className="node-mark" data-state={state} title={text} role="img" aria-label={text}>
        <Icon name={icon} small />
        {state === "running" && progress !== undefined && `${Math.round(progress * 100)} %`}
      </span>
      {state === "running" && progress !== undefined && (
        <span className="node-progress" style={{ transform: `scaleX(${progress})` }} />
      )}
    </>
  );
}

function TitleField({ id, title }: { readonly id: NodeData["id"]; readonly title: string }) {
  const setTitle = useEditor((state) => state.setTitle);
  const rename = useEditor((state) => state.rename);
  return (
    <LineField
      text={title}
      label={say("canvas.nodeTitle")}
      onDone={(text) => {
        if (text !== null && text !== title) setTitle(id, text);
        rename(null);
      }}
    />
  );
}
