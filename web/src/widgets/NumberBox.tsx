import { useRef, useState } from "react";
import type { KeyboardEvent, PointerEvent } from "react";

import { evaluateFrom } from "../graph/arithmetic";
import { Icon } from "../look/Icon";
import { say } from "../words";
import { useGesture } from "./gesture";
import { fitted, hasBar, stepped, written } from "./numbers";
import type { Scale } from "./numbers";

interface Props {
  readonly label: string;
  readonly value: number | undefined;
  readonly scale: Scale;
  readonly onChange: (value: number, gesture: string) => void;
  readonly disabled?: boolean;
  readonly invalid?: boolean;
  readonly describedBy?: string | undefined;
}

interface Drag {
  readonly at: number;
  readonly value: number;
  readonly width: number;
  moved: boolean;
}

/** How much further with Shift, how much finer with Alt. */
const pace = (event: { readonly shiftKey: boolean; readonly altKey: boolean }) =>
  event.shiftKey ? 10 : event.altKey ? 0.1 : 1;

/** A number: drag it, step it by arrows, or type it, also as a sum. The wheel never changes it. */
export function NumberBox(props: Props) {
  const { label, value, scale, onChange, disabled = false, invalid = false, describedBy } = props;
  const input = useRef<HTMLInputElement>(null);
  const drag = useRef<Drag | null>(null);
  const [draft, setDraft] = useState<string | null>(null);
  const [wrong, setWrong] = useState(false);
  const gesture = useGesture();
  const base = value ?? (Number.isFinite(scale.least) ? scale.least : 0);
  const bar = hasBar(scale) && value !== undefined;
  const share = bar ? (value - scale.least) / (scale.most - scale.least) : 0;

  const change = (next: number) => {
    if (next !== value) onChange(next, gesture.current());
  };

  const finish = () => {
    if (draft === null) return;
    const result = draft.trim() === "" ? null : evaluateFrom(value, draft);
    setWrong(result === null && draft.trim() !== "");
    if (result !== null) change(fitted(result, scale));
    setDraft(null);
  };

  const type = (text: string) => {
    setDraft(text);
    setWrong(false);
    const plain = text.trim() === "" ? Number.NaN : Number(text);
    if (fitted(plain, scale) === plain) change(plain);
  };

  const step = (steps: number) => {
    const next = stepped(
      base,
      scale.whole ? Math.sign(steps) * Math.max(1, Math.abs(steps)) : steps,
      scale,
    );
    setDraft(null);
    setWrong(false);
    change(next);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (move !== undefined && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      step(move * pace(event));
    } else if (event.key === "Enter") {
      finish();
      if (!event.ctrlKey && !event.metaKey) input.current?.select();
    } else if (event.key === "Escape" && draft !== null) {
      event.stopPropagation();
      setDraft(null);
      setWrong(false);
    }
  };

  const onPointerDown = (event: PointerEvent<HTMLInputElement>) => {
    if (disabled || event.button !== 0 || document.activeElement === event.currentTarget) return;
    // The press may become a drag: the caret comes only if it does not.
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    gesture.begin();
    const width = event.currentTarget.getBoundingClientRect().width;
    drag.current = { at: event.clientX, value: base, width, moved: false };
  };

  const onPointerMove = (event: PointerEvent) => {
    const start = drag.current;
    if (start === null) return;
    const distance = event.clientX - start.at;
    if (!start.moved && Math.abs(distance) < 4) return;
    start.moved = true;
    const pixels = hasBar(scale)
      ? Math.min(12, start.width / ((scale.most - scale.least) / scale.step))
      : 4;
    change(
      stepped(
        start.value,
        Math.round((distance / pixels) * pace(event) * 10) / 10,
        gridded(scale, event.altKey),
      ),
    );
  };

  const onPointerUp = () => {
    const start = drag.current;
    drag.current = null;
    if (start === null || start.moved) return;
    input.current?.focus();
    input.current?.select();
  };

  return (
    <div
      className={`field-box number nodrag${bar ? " has-bar" : ""}${wrong ? " wrong" : ""}`}
      style={bar ? { backgroundSize: `${Math.min(1, Math.max(0, share)) * 100}% 100%` } : {}}
    >
      <Nudge by={-1} disabled={disabled} onStep={step} begin={gesture.begin} />
      <input
        ref={input}
        type="text"
        inputMode="decimal"
        role="spinbutton"
        autoComplete="off"
        spellCheck={false}
        aria-label={label}
        aria-valuenow={value}
        aria-valuemin={Number.isFinite(scale.least) ? scale.least : undefined}
        aria-valuemax={Number.isFinite(scale.most) ? scale.most : undefined}
        aria-invalid={invalid || wrong}
        aria-describedby={describedBy}
        title={wrong ? say("widget.badArithmetic") : undefined}
        disabled={disabled}
        value={draft ?? (value === undefined ? "" : written(value, scale))}
        onFocus={gesture.begin}
        onBlur={finish}
        onChange={(event) => type(event.target.value)}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => (drag.current = null)}
      />
      <Nudge by={1} disabled={disabled} onStep={step} begin={gesture.begin} />
    </div>
  );
}

/** Drags go in whole steps, unless Alt asks for tenths of one. */
function gridded(scale: Scale, fine: boolean): Scale {
  return fine || scale.whole ? scale : { ...scale, multiple: scale.multiple ?? scale.step };
}

interface NudgeProps {
  readonly by: 1 | -1;
  readonly disabled: boolean;
  readonly onStep: (steps: number) => void;
  readonly begin: () => void;
}

/** One step by the mouse; the keyboard has the arrows. */
function Nudge({ by, disabled, onStep, begin }: NudgeProps) {
  return (
    <button
      type="button"
      className="nudge"
      tabIndex={-1}
      aria-hidden="true"
      disabled={disabled}
      onClick={(event) => {
        begin();
        onStep(by * pace(event));
      }}
    >
      <Icon name={by > 0 ? "chevron-right" : "chevron-left"} small />
    </button>
  );
}
