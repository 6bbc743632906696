import { setMode } from "../graph/commands/nodes";
import type { Mode } from "../graph/document";
import type { NodeId } from "../graph/ids";
import { at } from "../graph/tables";
import { Icon } from "../look/Icon";
import type { IconName } from "../look/Icon";
import { useEditor } from "../state/store";
import { activeGraph, activePath } from "../state/tabs";
import { Radios } from "../widgets/Radios";
import { say } from "../words";
import { useHint } from "./hint";

const modes = ["normal", "mute", "bypass"] as const;
const icons: Readonly<Record<Mode, IconName>> = { normal: "play", mute: "mute", bypass: "bypass" };

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
  const hints: Readonly<Record<Mode, string>> = {
    normal: say("inspect.normal.hint"),
    mute: useHint(say("inspect.mute.hint"), "graph.mute"),
    bypass: useHint(say("inspect.bypass.hint"), "graph.bypass"),
  };
  return (
    <Radios
      className="segments mode"
      label={say("inspect.mode")}
      choices={modes}
      chosen={shared}
      onChoose={(mode) => perform(setMode(path, ids, mode))}
      hintOf={(mode) => hints[mode]}
    >
      {(mode) => (
        <>
          <Icon name={icons[mode]} small />
          {say(`inspect.${mode}`)}
        </>
      )}
    </Radios>
  );
}
