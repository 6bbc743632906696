import { useEffect } from "react";

import { useEditor } from "../state/store";
import { say } from "../words";
import { Picker } from "../widgets/Picker";
import { Segments } from "./Segments";

/** What a new window begins with. */
export function StartSetting() {
  const start = useEditor((state) => state.start);
  const change = useEditor((state) => state.changeSettings);
  const shelf = useEditor((state) => state.shelf);
  const refresh = useEditor((state) => state.refreshShelf);
  useEffect(() => void refresh(), [refresh]);
  const name = start.kind === "workflow" ? start.name : (shelf[0]?.name ?? "");
  return (
    <section>
      <h3>{say("settings.start")}</h3>
      <Segments
        label={say("settings.startWith")}
        choices={["last", "blank", "workflow"]}
        chosen={start.kind}
        titleOf={(kind) => say(`settings.start.${kind}`)}
        onChoose={(kind) => change({ start: kind === "workflow" ? { kind, name } : { kind } })}
      />
      {start.kind === "workflow" && (
        <div className="setting">
          <span>{say("settings.start.workflow")}</span>
          <Picker
            label={say("settings.start.workflow")}
            chosen={start.name}
            picks={shelf.map((entry) => ({ key: entry.name, title: entry.title }))}
            onPick={(picked) => change({ start: { kind: "workflow", name: picked } })}
          />
        </div>
      )}
    </section>
  );
}
