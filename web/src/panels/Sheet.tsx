import { useRef, type ReactNode } from "react";

import { Icon } from "../look/Icon";
import { say } from "../words";
import { useModal } from "./modal";

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The button that opened it closes it too. */
const around = (sheet: HTMLElement): HTMLElement | null => sheet.parentElement;

/** A list that is opened above the run bar for a while, and closed by Esc or a click elsewhere. */
export function Sheet({ title, onClose, children }: Props) {
  const sheet = useRef<HTMLDivElement>(null);
  const onKeyDown = useModal(sheet, { onClose, around });
  return (
    <div
      ref={sheet}
      className="sheet"
      role="dialog"
      aria-label={title}
      aria-modal="true"
      tabIndex={-1}
      onKeyDown={onKeyDown}
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
