interface Props {
  readonly label: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
  readonly disabled?: boolean;
  readonly describedBy?: string | undefined;
}

/** Yes or no. */
export function Switch({ label, value, onChange, disabled = false, describedBy }: Props) {
  return (
    <input
      type="checkbox"
      role="switch"
      className="switch nodrag"
      aria-label={label}
      aria-describedby={describedBy}
      checked={value}
      disabled={disabled}
      onChange={(event) => onChange(event.target.checked)}
    />
  );
}
