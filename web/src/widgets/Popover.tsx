import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ReactNode, RefObject } from "react";
import { createPortal } from "react-dom";

interface Props {
  readonly anchor: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly label?: string;
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const margin = 8;

/** Below the anchor, or above it where there is more room. */
function placed(anchor: DOMRect, content: number): Place {
  const below = window.innerHeight - anchor.bottom - margin;
  const above = anchor.top - margin;
  const width = Math.max(anchor.width, 224);
  const up = content > below && above > below;
  const height = Math.min(content, up ? above : below, 416);
  return {
    left: Math.max(margin, Math.min(anchor.left, window.innerWidth - width - margin)),
    top: up ? anchor.top - height - 4 : anchor.bottom + 4,
    width,
    height,
  };
}

/** A box at another element, over everything, until Escape or a press elsewhere. */
export function Popover({ anchor, onClose, children, label }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place | null>(null);

  useLayoutEffect(() => {
    const at = anchor.current?.getBoundingClientRect();
    if (at !== undefined && box.current !== null)
      setPlace(placed(at, Math.max(box.current.scrollHeight + 2, 40)));
  }, [anchor]);

  useEffect(() => {
    const away = (event: PointerEvent | WheelEvent) => {
      const target = event.target;
      if (!(target instanceof Node)) return;
      if (box.current?.contains(target) === true) return;
      if (event.type === "pointerdown" && anchor.current?.contains(target) === true) return;
      onClose();
    };
    document.addEventListener("pointerdown", away, true);
    document.addEventListener("wheel", away, { capture: true, passive: true });
    return () => {
      document.removeEventListener("pointerdown", away, true);
      document.removeEventListener("wheel", away, { capture: true });
    };
  }, [anchor, onClose]);

  return createPortal(
    <div
      ref={box}
      className="popover nowheel"
      role="presentation"
      aria-label={label}
      style={
        place === null
          ? { visibility: "hidden" }
          : { left: place.left, top: place.top, width: place.width, maxHeight: place.height }
      }
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      {children}
    </div>,
    document.body,
  );
}
