import { useState } from "react";

import type { Json } from "../graph/document";
import { JsonError, printDocument, readJson } from "../graph/json";
import { Icon } from "../look/Icon";
import { say } from "../words";
import { useGesture } from "./gesture";

interface Props {
  readonly label: string;
  readonly value: Json | undefined;
  readonly onChange: (value: Json, gesture: string) => void;
  readonly disabled?: boolean;
  readonly describedBy?: string | undefined;
}

const written = (value: Json | undefined) =>
  value === undefined ? "" : printDocument(value).trimEnd();

/** Whatever JSON can carry, as its text. */
export function JsonBox({ label, value, onChange, disabled = false, describedBy }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const gesture = useGesture();
  const text = draft ?? written(value);

  const type = (next: string) => {
    setDraft(next);
    try {
      onChange(readJson(next), gesture.current());
      setFault(null);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      setFault(error.message);
    }
  };

  return (
    <>
      <div className="field-box area nodrag">
        <textarea
          className="mono"
          rows={Math.min(12, Math.max(2, text.split("\n").length))}
          aria-label={label}
          aria-invalid={fault !== null}
          aria-describedby={describedBy}
          disabled={disabled}
          spellCheck={false}
          value={text}
          onFocus={gesture.begin}
          onBlur={() => {
            if (fault === null) setDraft(null);
          }}
          onChange={(event) => type(event.target.value)}
        />
      </div>
      {fault !== null && (
        <p className="field-problem" role="alert">
          <Icon name="error" small />
          {say("widget.badJson", { fault })}
        </p>
      )}
    </>
  );
}
