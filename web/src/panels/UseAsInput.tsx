import { useMemo, useState } from "react";

import { Icon } from "../look/Icon";
import { pictureInputs, type PictureChoice } from "../state/pictureInputs";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { PictureChoices } from "./PictureChoices";
import { Sheet } from "./Sheet";

/** Puts a picture into an input of the workflow: the path of the keyboard for dragging it there. */
export function UseAsInput({ url }: { readonly url: string }) {
  const workflow = useEditor(activeWorkflow);
  const catalogue = useEditor((state) => state.catalogue);
  const put = useEditor((state) => state.useAsInput);
  const announce = useEditor((state) => state.announce);
  const [isOpen, setIsOpen] = useState(false);
  const choices = useMemo(() => pictureInputs(workflow, catalogue), [workflow, catalogue]);
  const choose = async (choice: PictureChoice) => {
    setIsOpen(false);
    if (!(await put(url, choice))) return;
    announce(say("gallery.used", { name: url.split("/").at(-1) ?? "", input: choice.title }));
  };
  const [only] = choices;
  return (
    <div className="use-as-input">
      <button
        type="button"
        className="button bare"
        disabled={only === undefined}
        title={only === undefined ? say("gallery.noInput") : undefined}
        aria-expanded={isOpen}
        onClick={() =>
          only !== undefined && choices.length === 1 ? void choose(only) : setIsOpen(!isOpen)
        }
      >
        <Icon name="image" small />
        {say("gallery.use")}
      </button>
      {isOpen && (
        <Sheet title={say("gallery.useWhere")} onClose={() => setIsOpen(false)}>
          <PictureChoices choices={choices} onChoose={(choice) => void choose(choice)} />
        </Sheet>
      )}
    </div>
  );
}
