import { useLayoutEffect, useRef, type KeyboardEvent, type ReactNode } from "react";

import type { Point } from "../state/canvas";

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
  return (
    <div
      className="floating-ground"
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div
        ref={box}
        className={at === undefined ? "floating in-middle" : "floating"}
        role="dialog"
        aria-label={label}
        aria-modal="true"
        onKeyDown={(event) => {
          if (event.key === "Tab" && !event.defaultPrevented) keepWithin(event);
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
      >
        {children}
      </div>
    </div>
  );
}

const FOCUSABLE = "button, input, textarea, select, a[href], [tabindex]";

/** Tab that leads out of the box leads back to its other end. */
function keepWithin({ currentTarget: box, shiftKey }: KeyboardEvent<HTMLElement>): void {
  // Once the browser has moved the focus: what takes it, such as a list to scroll, is its affair.
  setTimeout(() => {
    if (!box.isConnected || box.contains(document.activeElement)) return;
    const all = [...box.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
      (each) => each.tabIndex >= 0 && !each.matches(":disabled") && each.offsetParent !== null,
    );
    all.at(shiftKey ? -1 : 0)?.focus();
  }, 0);
}
