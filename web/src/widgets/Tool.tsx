import { Icon, type IconName } from "../look/Icon";

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly onAct: () => void;
}

/** A button of the bar over the stage. */
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
