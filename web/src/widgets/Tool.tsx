import { Icon, type IconName } from "../look/Icon";

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly onAct: () => void;
}

/** A small button that shows an icon. */
export function Tool({ icon, label, pressed, onAct }: ToolProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onAct}
    >
      <Icon name={icon} small />
    </button>
  );
}
