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

/** From the last thing in the box Tab goes to the first one, and back. */
function keepWithin(event: KeyboardEvent<HTMLElement>): void {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (each) => each.tabIndex >= 0 && !each.matches(":disabled") && each.offsetParent !== null,
  );
  const [first, last] = [all[0], all.at(-1)];
  const [end, other] = event.shiftKey ? [first, last] : [last, first];
  if (document.activeElement !== end) return;
  event.preventDefault();
  other?.focus();
}
