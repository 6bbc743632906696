import { bounds } from "../state/settings";
import { useEditor } from "../state/store";
import { say } from "../words";
import { NumberBox } from "../widgets/NumberBox";
import { Switch } from "../widgets/Switch";
import { Dialog } from "./Dialog";
import { Segments } from "./Segments";
import { StartSetting } from "./StartSetting";
import "./settings.css";

/** What can be chosen about the editor itself. */
export function Settings() {
  const isOpen = useEditor((state) => state.settingsOpen);
  const open = useEditor((state) => state.openSettings);
  if (!isOpen) return null;
  return (
    <Dialog title={say("settings.open")} onClose={() => open(false)}>
      <div className="settings">
        <LookSettings />
        <CanvasSettings />
        <StartSetting />
      </div>
    </Dialog>
  );
}

function LookSettings() {
  const theme = useEditor((state) => state.theme);
  const density = useEditor((state) => state.density);
  const scale = useEditor((state) => state.scale);
  const change = useEditor((state) => state.changeSettings);
  const [least, most] = bounds.scale;
  return (
    <section>
      <h3>{say("settings.look")}</h3>
      <Segments
        label={say("settings.theme")}
        choices={["system", "dark", "light"]}
        chosen={theme}
        titleOf={(each) => say(`settings.theme.${each}`)}
        onChoose={(next) => change({ theme: next })}
      />
      <Segments
        label={say("settings.density")}
        choices={["comfortable", "compact"]}
        chosen={density}
        titleOf={(each) => say(`settings.density.${each}`)}
        onChoose={(next) => change({ density: next })}
      />
      <div className="setting">
        <span>{say("settings.scale")}</span>
        <NumberBox
          label={say("settings.scale")}
          value={Math.round(scale * 100)}
          scale={{ least: least * 100, most: most * 100, step: 5, whole: true, multiple: 5 }}
          onChange={(percent) => change({ scale: percent / 100 })}
        />
      </div>
    </section>
  );
}

const flags = ["minimap", "faintWires", "snap", "dimmed"] as const;

function CanvasSettings() {
  const wires = useEditor((state) => state.wires);
  const change = useEditor((state) => state.changeSettings);
  return (
    <section>
      <h3>{say("settings.canvas")}</h3>
      <Segments
        label={say("settings.wires")}
        choices={["curved", "stepped", "straight"]}
        chosen={wires}
        titleOf={(each) => say(`settings.wires.${each}`)}
        onChoose={(next) => change({ wires: next })}
      />
      {flags.map((flag) => (
        <Flag key={flag} flag={flag} />
      ))}
    </section>
  );
}

function Flag({ flag }: { readonly flag: (typeof flags)[number] }) {
  const value = useEditor((state) => state[flag]);
  const change = useEditor((state) => state.changeSettings);
  return (
    <label className="setting">
      <span>{say(`settings.${flag}`)}</span>
      <Switch
        label={say(`settings.${flag}`)}
        value={value}
        onChange={(next) => change({ [flag]: next })}
      />
    </label>
  );
}
