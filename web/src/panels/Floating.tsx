import { useLayoutEffect, useRef, type ReactNode } from "react";

import type { Point } from "../state/canvas";
import { useModal } from "./modal";

interface Props {
  /** Where its upper left corner is to be; none: in the upper middle of the page. */
  readonly at?: Point;
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A box over the page that goes away once something else is pressed; always wholly in sight. */
export function Floating({ at, label, onClose, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || at === undefined) return;
    const { width, height } = element.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.x, window.innerWidth - width - 8));
    const top = Math.max(8, Math.min(at.y, window.innerHeight - height - 8));
    element.style.left = `${left}px`;
    element.style.top = `${top}px`;
  }, [at]);
  const onKeyDown = useModal(box, { onClose });
  return (
    <div className="floating-ground" onContextMenu={(event) => event.preventDefault()}>
      <div
        ref={box}
        className={at === undefined ? "floating in-middle" : "floating"}
        role="dialog"
        aria-label={label}
        aria-modal="true"
        tabIndex={-1}
        onKeyDown={onKeyDown}
      >
        {children}
      </div>
    </div>
  );
}
