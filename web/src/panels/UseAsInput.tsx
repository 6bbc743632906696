import { useMemo, useState } from "react";

import type { Catalogue } from "../graph/catalogue";
import type { Workflow } from "../graph/document";
import { graphAt, graphPaths, nodesOf } from "../graph/graphs";
import { typeNamed } from "../graph/catalogue";
import { at } from "../graph/tables";
import { Icon } from "../look/Icon";
import type { PictureInput } from "../state/gallery";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { say } from "../words";
import { Sheet } from "./Sheet";

interface Choice extends PictureInput {
  readonly title: string;
}

/** Puts a picture into an input of the workflow: the path of the keyboard for dragging it there. */
export function UseAsInput({ url }: { readonly url: string }) {
  const workflow = useEditor(activeWorkflow);
  const catalogue = useEditor((state) => state.catalogue);
  const put = useEditor((state) => state.useAsInput);
  const announce = useEditor((state) => state.announce);
  const [isOpen, setIsOpen] = useState(false);
  const choices = useMemo(() => pictureInputs(workflow, catalogue), [workflow, catalogue]);
  const choose = async (choice: Choice) => {
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
          <ul className="plan-nodes">
            {choices.map((choice) => (
              <li key={`${choice.path.join("/")}/${choice.title}`}>
                <button type="button" onClick={() => void choose(choice)}>
                  <Icon name="image" small />
                  <span>{choice.title}</span>
                </button>
              </li>
            ))}
          </ul>
        </Sheet>
      )}
    </div>
  );
}

/** Every input of a document that takes the name of a picture. */
export function pictureInputs(workflow: Workflow, catalogue: Catalogue): readonly Choice[] {
  return graphPaths(workflow).flatMap((path) => {
    const graph = graphAt(workflow, path);
    return nodesOf(graph).flatMap(([node, { type }]) =>
      (typeNamed(catalogue, type)?.inputs ?? [])
        .filter((field) => field.kind === "image")
        .map((field) => {
          const title = at(graph?.view?.nodes, node)?.title ?? node;
          return { path, node, input: field.name, title: `${title}, ${field.title}` };
        }),
    );
  });
}
