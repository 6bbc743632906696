import { useEffect, useRef, type ReactNode } from "react";

import { Icon } from "../look/Icon";
import { say } from "../words";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A list that is opened above the run bar for a while, and closed by Esc or a click elsewhere. */
export function Sheet({ title, onClose, children }: Props) {
  const sheet = useRef<HTMLDivElement>(null);
  useEffect(() => {
    sheet.current?.focus();
  }, []);
  useEffect(() => {
    const away = (event: PointerEvent) => {
      const around = sheet.current?.parentElement;
      if (event.target instanceof Node && around?.contains(event.target) !== true) onClose();
    };
    window.addEventListener("pointerdown", away);
    return () => window.removeEventListener("pointerdown", away);
  }, [onClose]);
  return (
    <div
      ref={sheet}
      className="sheet"
      role="dialog"
      aria-label={title}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <header>
        <h2>{title}</h2>
        <button
          type="button"
          className="icon-button"
          aria-label={say("banner.dismiss")}
          onClick={onClose}
        >
          <Icon name="close" small />
        </button>
      </header>
      <div className="sheet-body">{children}</div>
    </div>
  );
}
