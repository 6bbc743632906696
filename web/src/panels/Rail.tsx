import { Icon } from "../look/Icon";
import type { IconName } from "../look/Icon";
import { Mark } from "../look/Wordmark";
import type { Drawer } from "../state/settings";
import { useEditor } from "../state/store";
import { say } from "../words";

const drawers: readonly { readonly name: Drawer; readonly icon: IconName; readonly key: string }[] =
  [
    { name: "nodes", icon: "nodes", key: "N" },
    { name: "workflows", icon: "workflows", key: "W" },
    { name: "models", icon: "models", key: "M" },
    { name: "gallery", icon: "gallery", key: "A" },
  ];

/** The rail at the left: opens a drawer, and the settings. */
export function Rail() {
  const open = useEditor((state) => state.drawer);
  const toggle = useEditor((state) => state.toggleDrawer);
  const openSettings = useEditor((state) => state.openSettings);
  return (
    <nav className="rail" aria-label={say("area.rail")}>
      <span className="rail-mark">
        <Mark />
      </span>
      {drawers.map(({ name, icon, key }) => (
        <button
          key={name}
          type="button"
          className="rail-button"
          aria-expanded={open === name}
          title={`${say(`drawer.${name}`)} (${key})`}
          onClick={() => toggle(name)}
        >
          <Icon name={icon} />
          <span>{say(`drawer.${name}`)}</span>
        </button>
      ))}
      <button
        type="button"
        className="rail-button rail-last"
        title={`${say("settings.open")} (Ctrl+,)`}
        onClick={() => openSettings(true)}
      >
        <Icon name="settings" />
        <span>{say("settings.open")}</span>
      </button>
    </nav>
  );
}
