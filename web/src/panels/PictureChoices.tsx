import { Icon } from "../look/Icon";
import type { PictureChoice } from "../state/pictureInputs";

interface Props {
  readonly choices: readonly PictureChoice[];
  readonly onChoose: (choice: PictureChoice) => void;
}

/** The inputs that a picture may go into. */
export function PictureChoices({ choices, onChoose }: Props) {
  return (
    <ul className="plan-nodes">
      {choices.map((choice) => (
        <li key={`${choice.path.join("/")}/${choice.title}`}>
          <button type="button" onClick={() => onChoose(choice)}>
            <Icon name="image" small />
            <span>{choice.title}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
