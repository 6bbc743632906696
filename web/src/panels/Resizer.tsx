import { useRef } from "react";
import type { KeyboardEvent, PointerEvent } from "react";

interface Props {
  readonly label: string;
  /** Which side of the resized panel this edge is. */
  readonly edge: "left" | "right" | "top";
  readonly size: number;
  readonly bounds: readonly [number, number];
  readonly standard: number;
  readonly onResize: (size: number) => void;
}

/** An edge of a panel that can be dragged, or moved by arrows; a double click gives the standard size. */
export function Resizer({ label, edge, size, bounds, standard, onResize }: Props) {
  const start = useRef<{ at: number; size: number } | null>(null);
  const [least, most] = bounds;
  const grows = edge === "right" ? 1 : -1;
  const resize = (next: number) => onResize(Math.min(most, Math.max(least, Math.round(next))));
  const place = (event: PointerEvent) => (edge === "top" ? event.clientY : event.clientX);

  const onKeyDown = (event: KeyboardEvent) => {
    const [less, more] = edge === "top" ? ["ArrowDown", "ArrowUp"] : ["ArrowLeft", "ArrowRight"];
    const direction = event.key === more ? 1 : event.key === less ? -1 : 0;
    if (direction === 0) return;
    event.preventDefault();
    const step = event.shiftKey ? 64 : 16;
    resize(size + direction * step * (edge === "top" ? 1 : grows));
  };

  return (
    <div
      className={`resizer resizer-${edge}`}
      role="separator"
      aria-label={label}
      aria-orientation={edge === "top" ? "horizontal" : "vertical"}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={() => resize(standard)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { at: place(event), size };
      }}
      onPointerMove={(event) => {
        if (start.current !== null)
          resize(start.current.size + grows * (place(event) - start.current.at));
      }}
      onPointerUp={() => (start.current = null)}
      onPointerCancel={() => (start.current = null)}
    />
  );
}
