import { useState } from "react";

import type { Json } from "../graph/document";
import { integer, numberOf } from "../graph/json";
import { Icon } from "../look/Icon";
import type { IconName } from "../look/Icon";
import { say } from "../words";
import { Radios } from "./Radios";
import { useGesture } from "./gesture";

/** What becomes of a seed once a run has been started. */
export type SeedMode = "fixed" | "random" | "increment";

const modes: readonly SeedMode[] = ["fixed", "random", "increment"];
const icons: Readonly<Record<SeedMode, IconName>> = {
  fixed: "lock",
  random: "refresh",
  increment: "increment",
};
const titles = {
  fixed: "widget.seedFixed",
  random: "widget.seedRandom",
  increment: "widget.seedIncrement",
} as const;

interface Props {
  readonly label: string;
  readonly value: Json | undefined;
  /** The first number that is too large. */
  readonly end: bigint;
  readonly onChange: (value: number | bigint, gesture?: string) => void;
  readonly mode?: SeedMode | undefined;
  readonly onMode?: ((mode: SeedMode) => void) | undefined;
  /** The seed of the last run. */
  readonly last?: number | bigint | undefined;
  readonly onKeep?: ((seed: number | bigint) => void) | undefined;
  readonly disabled?: boolean;
  readonly invalid?: boolean;
  readonly describedBy?: string | undefined;
}

const text = (value: Json | undefined) =>
  typeof value === "bigint" ? value.toString() : String(numberOf(value) ?? "");

/** A seed of ten digits at most, so that it can be read out and typed. */
export function randomSeed(end: bigint): number {
  const most = end > 2n ** 32n ? 2 ** 32 : Number(end);
  return Math.floor(Math.random() * most);
}

/** A seed: typed, rolled, and kept or changed after each run. */
export function SeedBox(props: Props) {
  const { label, value, end, onChange, mode, onMode, disabled = false, describedBy } = props;
  const { last, onKeep } = props;
  const [draft, setDraft] = useState<string | null>(null);
  const gesture = useGesture();
  const wrong = draft !== null && parsed(draft, end) === null;

  const type = (next: string) => {
    setDraft(next);
    const seed = parsed(next, end);
    if (seed !== null) onChange(seed, gesture.current());
  };

  const step = (by: bigint) => {
    const next = parsed(String(BigInt(text(value) || "0") + by), end);
    setDraft(null);
    if (next !== null) onChange(next, gesture.current());
  };

  return (
    <div className="seed nodrag">
      <div className="field-box number">
        <input
          type="text"
          inputMode="numeric"
          autoComplete="off"
          spellCheck={false}
          aria-label={label}
          aria-invalid={props.invalid === true || wrong}
          aria-describedby={describedBy}
          title={wrong ? say("widget.badSeed") : undefined}
          disabled={disabled}
          value={draft ?? text(value)}
          onFocus={gesture.begin}
          onBlur={() => setDraft(null)}
          onChange={(event) => type(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
            event.preventDefault();
            step(event.key === "ArrowUp" ? 1n : -1n);
          }}
        />
      </div>
      <button
        type="button"
        className="icon-button framed"
        aria-label={`${say("widget.roll")}, ${label}`}
        title={say("widget.roll")}
        disabled={disabled}
        onClick={() => onChange(randomSeed(end))}
      >
        <Icon name="dice" />
      </button>
      {onKeep !== undefined && last !== undefined && text(value) !== String(last) && (
        <Back label={label} last={last} onKeep={onKeep} disabled={disabled} />
      )}
      {onMode !== undefined && (
        <Modes label={label} mode={mode ?? "fixed"} onMode={onMode} disabled={disabled} />
      )}
    </div>
  );
}

function parsed(text: string, end: bigint): number | bigint | null {
  if (!/^\s*\d{1,40}\s*$/.test(text)) return null;
  const seed = BigInt(text.trim());
  return seed < end ? integer(seed) : null;
}

interface BackProps {
  readonly label: string;
  readonly last: number | bigint;
  readonly onKeep: (seed: number | bigint) => void;
  readonly disabled: boolean;
}

function Back({ label, last, onKeep, disabled }: BackProps) {
  const title = say("widget.seedLast", { seed: String(last) });
  return (
    <button
      type="button"
      className="icon-button framed"
      aria-label={`${title}, ${label}`}
      title={title}
      disabled={disabled}
      onClick={() => onKeep(last)}
    >
      <Icon name="undo" />
    </button>
  );
}

interface ModesProps {
  readonly label: string;
  readonly mode: SeedMode;
  readonly onMode: (mode: SeedMode) => void;
  readonly disabled: boolean;
}

function Modes({ label, mode, onMode, disabled }: ModesProps) {
  return (
    <Radios
      label={`${say("widget.seedAfter")}, ${label}`}
      choices={modes}
      chosen={mode}
      onChoose={onMode}
      nameOf={(choice) => say(titles[choice])}
      disabled={disabled}
    >
      {(choice) => <Icon name={icons[choice]} small />}
    </Radios>
  );
}
