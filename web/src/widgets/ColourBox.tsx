import { say } from "../words";
import { useGesture } from "./gesture";
import { TextBox } from "./TextBox";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string, gesture?: string) => void;
  readonly disabled?: boolean;
  readonly invalid?: boolean;
  readonly describedBy?: string | undefined;
}

const whole = /^#[0-9a-f]{6}$/i;

/** A colour, picked or typed. */
export function ColourBox({ label, value, onChange, disabled = false, ...rest }: Props) {
  const gesture = useGesture();
  return (
    <div className="colour nodrag">
      <input
        type="color"
        aria-label={label}
        disabled={disabled}
        value={whole.test(value) ? value : "#000000"}
        onFocus={gesture.begin}
        onChange={(event) => onChange(event.target.value, gesture.current())}
      />
      <TextBox
        label={`${label} ${say("widget.colour")}`}
        value={value}
        disabled={disabled}
        onChange={onChange}
        {...rest}
      />
    </div>
  );
}
