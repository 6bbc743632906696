import { setMode } from "../graph/commands/nodes";
import type { Mode } from "../graph/document";
import type { NodeId } from "../graph/ids";
import { at } from "../graph/tables";
import { Icon } from "../look/Icon";
import type { IconName } from "../look/Icon";
import { useEditor } from "../state/store";
import { activeGraph, activePath } from "../state/tabs";
import { say } from "../words";

const modes: readonly { readonly mode: Mode; readonly icon: IconName }[] = [
  { mode: "normal", icon: "play" },
  { mode: "mute", icon: "mute" },
  { mode: "bypass", icon: "bypass" },
];

interface Props {
  readonly ids: readonly NodeId[];
}

/** Whether nodes run, are left out, or pass on what they are given. */
export function ModeChoice({ ids }: Props) {
  const path = useEditor(activePath);
  const perform = useEditor((state) => state.perform);
  const shared = useEditor((state) => {
    const { nodes } = activeGraph(state);
    const found = new Set(ids.map((id) => at(nodes, id)?.mode ?? "normal"));
    const [only] = found;
    return found.size === 1 ? only : undefined;
  });
  return (
    <div className="segments mode" role="radiogroup" aria-label={say("inspect.mode")}>
      {modes.map(({ mode, icon }) => (
        <button
          key={mode}
          type="button"
          role="radio"
          aria-checked={shared === mode}
          title={say(`inspect.${mode}.hint`)}
          onClick={() => perform(setMode(path, ids, mode))}
        >
          <Icon name={icon} small />
          {say(`inspect.${mode}`)}
        </button>
      ))}
    </div>
  );
}
