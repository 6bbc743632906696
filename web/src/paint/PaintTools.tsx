import { Icon, type IconName } from "../look/Icon";
import type { Zoom } from "../widgets/zooming";
import { Radios } from "../widgets/Radios";
import { say } from "../words";
import type { Easel, Settings, Tool } from "./easel";
import type { Saving } from "./PaintArea";

interface Props {
  readonly easel: Easel;
  readonly settings: Settings;
  readonly onChange: (part: Partial<Settings>) => void;
  readonly zoom: Zoom;
  readonly onFit: () => void;
  readonly save: Saving;
}

const tools: readonly Tool[] = ["brush", "eraser", "fill", "lasso"];

/** The tools over the picture. */
export function PaintTools({ easel, settings, onChange, zoom, onFit, save }: Props) {
  return (
    <div className="stage-bar">
      <Radios
        label={say("paint.tool")}
        choices={tools}
        chosen={settings.tool}
        onChoose={(tool) => onChange({ tool })}
        nameOf={(tool) => say(`paint.${tool}`)}
      >
        {(tool) => <Icon name={tool} small />}
      </Radios>
      <Slider
        label={say("paint.size")}
        value={settings.size}
        most={400}
        onChange={(size) => onChange({ size })}
      />
      <Slider
        label={say("paint.hardness")}
        value={Math.round(settings.hardness * 100)}
        most={100}
        onChange={(hardness) => onChange({ hardness: hardness / 100 })}
      />
      <Slider
        label={say("paint.featherBy")}
        value={settings.feather}
        most={100}
        onChange={(feather) => onChange({ feather })}
      />
      <button type="button" className="button bare" onClick={() => easel.change("feather")}>
        {say("paint.feather")}
      </button>
      <Act icon="swap" label={say("paint.invert")} onAct={() => easel.change("invert")} />
      <Act icon="trash" label={say("paint.clear")} onAct={() => easel.change("clear")} />
      <Act icon="undo" label={say("paint.undo")} onAct={() => easel.undo()} />
      <Act icon="redo" label={say("paint.redo")} onAct={() => easel.redo()} />
      <button type="button" className="button bare" title={say("paint.fit")} onClick={onFit}>
        {Math.round(zoom.factor * 100)} %
      </button>
      <span className="stage-gap" />
      <button type="button" className="button bare" onClick={save.discard}>
        {say("paint.discard")}
      </button>
      <button type="button" className="button filled" disabled={save.isSaving} onClick={save.done}>
        {say(save.isSaving ? "paint.saving" : "paint.done")}
      </button>
    </div>
  );
}

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  readonly onChange: (value: number) => void;
}

function Slider({ label, value, most, onChange }: SliderProps) {
  return (
    <label className="paint-slider">
      <span>
        {label} <output>{value}</output>
      </span>
      <input
        type="range"
        aria-label={label}
        min={1}
        max={most}
        value={value}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </label>
  );
}

function Act({
  icon,
  label,
  onAct,
}: {
  readonly icon: IconName;
  readonly label: string;
  readonly onAct: () => void;
}) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={onAct}>
      <Icon name={icon} small />
    </button>
  );
}
