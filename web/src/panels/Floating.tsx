import { useLayoutEffect, useRef, type ReactNode } from "react";

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
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
      >
        <Turn onTurn={() => toEnd(box.current, -1)} />
        {children}
        <Turn onTurn={() => toEnd(box.current, 0)} />
      </div>
    </div>
  );
}

const FOCUSABLE = "button, input, textarea, select, a[href]";

/** Where Tab would lead out of the box: it turns to the other end of it. */
function Turn({ onTurn }: { readonly onTurn: () => void }) {
  return <span tabIndex={0} aria-hidden="true" onFocus={onTurn} />;
}

/** Focus the first thing in the box (0), or the last one (-1). */
function toEnd(box: HTMLElement | null, end: 0 | -1): void {
  const all = [...(box?.querySelectorAll<HTMLElement>(FOCUSABLE) ?? [])].filter(
    (each) => each.tabIndex >= 0 && !each.matches(":disabled") && each.offsetParent !== null,
  );
  all.at(end)?.focus();
}
