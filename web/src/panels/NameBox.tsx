import { useState } from "react";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onName: (name: string) => void;
}

/** A name that counts once it is finished: renaming at every letter would collide on the way. */
export function NameBox({ label, value, onName }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const finish = () => {
    const name = draft?.trim() ?? "";
    if (name !== "" && name !== value) onName(name);
    setDraft(null);
  };
  return (
    <span className="field-box text">
      <input
        aria-label={label}
        value={draft ?? value}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") finish();
          if (event.key === "Escape") setDraft(null);
        }}
      />
    </span>
  );
}
