import type { KeyboardEvent, ReactNode } from "react";

interface Props<Choice extends string> {
  readonly label: string;
  readonly choices: readonly Choice[];
  /** None, if what it is about has several. */
  readonly chosen: Choice | undefined;
  readonly onChoose: (choice: Choice) => void;
  /** What stands on a choice. */
  readonly children: (choice: Choice) => ReactNode;
  /** What a choice is called where no words stand on it, or does. */
  readonly nameOf?: (choice: Choice) => string;
  readonly hintOf?: (choice: Choice) => string;
  readonly className?: string;
  readonly disabled?: boolean;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** One of a few: Tab goes to the chosen one, and arrows choose another. */
export function Radios<Choice extends string>(props: Props<Choice>) {
  const { label, choices, chosen, onChoose, children, nameOf, hintOf } = props;
  const { className = "segments", disabled = false } = props;
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.ctrlKey || event.metaKey || event.altKey ? undefined : STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = (Math.max(0, at) + step + choices.length) % choices.length;
    buttons[to]?.focus();
    const choice = choices[to];
    if (choice !== undefined && !disabled) onChoose(choice);
  };
  return (
    <div className={className} role="radiogroup" aria-label={label} onKeyDown={onKeyDown}>
      {choices.map((choice, index) => (
        <button
          key={choice}
          type="button"
          role="radio"
          aria-checked={choice === chosen}
          aria-label={nameOf?.(choice)}
          title={(hintOf ?? nameOf)?.(choice)}
          tabIndex={chosen === undefined ? (index === 0 ? 0 : -1) : choice === chosen ? 0 : -1}
          disabled={disabled}
          onClick={() => onChoose(choice)}
        >
          {children(choice)}
        </button>
      ))}
    </div>
  );
}
