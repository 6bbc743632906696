interface Props<Choice extends string> {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: Choice;
  readonly titleOf: (choice: Choice) => string;
  readonly onChoose: (choice: Choice) => void;
}

/** A setting that is one of a few. */
export function Segments<Choice extends string>(props: Props<Choice>) {
  const { label, choices, chosen, titleOf, onChoose } = props;
  return (
    <div className="setting">
      <span>{label}</span>
      <div className="segments" role="radiogroup" aria-label={label}>
        {choices.map((choice) => (
          <button
            key={choice}
            type="button"
            role="radio"
            aria-checked={choice === chosen}
            onClick={() => onChoose(choice)}
          >
            {titleOf(choice)}
          </button>
        ))}
      </div>
    </div>
  );
}
