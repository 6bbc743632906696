import { Radios } from "../widgets/Radios";

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
      <Radios label={label} choices={choices} chosen={chosen} onChoose={onChoose}>
        {titleOf}
      </Radios>
    </div>
  );
}
