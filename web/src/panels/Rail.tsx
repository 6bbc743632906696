import { Icon } from "../look/Icon";
import { Wordmark } from "../look/Wordmark";
import type { Drawer } from "../state/settings";
import { useEditor } from "../state/store";
import { say } from "../words";
import { useHint } from "./hint";

const drawers = ["nodes", "workflows", "models", "gallery"] as const;

/** The rail at the left: opens a drawer, and the settings. */
export function Rail() {
  const openSettings = useEditor((state) => state.openSettings);
  return (
    <nav className="rail" aria-label={say("area.rail")}>
      <span className="rail-mark">
        <Wordmark />
      </span>
      {drawers.map((name) => (
        <DrawerButton key={name} name={name} />
      ))}
      <button
        type="button"
        className="rail-button rail-last"
        title={useHint(say("settings.open"), "view.settings")}
        onClick={() => openSettings(true)}
      >
        <Icon name="settings" />
        <span>{say("settings.open")}</span>
      </button>
    </nav>
  );
}

function DrawerButton({ name }: { readonly name: Drawer }) {
  const isOpen = useEditor((state) => state.drawer === name);
  const toggle = useEditor((state) => state.toggleDrawer);
  const label = say(`drawer.${name}`);
  return (
    <button
      type="button"
      className="rail-button"
      aria-expanded={isOpen}
      title={useHint(label, `view.${name}`)}
      onClick={() => toggle(name)}
    >
      <Icon name={name} />
      <span>{label}</span>
    </button>
  );
}
