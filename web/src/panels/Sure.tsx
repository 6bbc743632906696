import { useRef } from "react";

import { useModal } from "./modal";

interface Props {
  /** What it is about, for a screen reader. */
  readonly label: string;
  readonly question: string;
  readonly yes: string;
  readonly no: string;
  readonly className: string;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** Asks in its place whether something shall be thrown away. What keeps it has the focus. */
export function Sure({ label, question, yes, no, className, onYes, onNo }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const onKeyDown = useModal(box, { onClose: onNo });
  return (
    <div
      ref={box}
      className={className}
      role="alertdialog"
      aria-modal="true"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <p>{question}</p>
      <button type="button" className="button dangerous" onClick={onYes}>
        {yes}
      </button>
      <button type="button" className="button" data-first onClick={onNo}>
        {no}
      </button>
    </div>
  );
}
