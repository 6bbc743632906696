import { useEffect } from "react";

import { Icon } from "../look/Icon";
import type { FormInput } from "../state/form";
import { useEditor } from "../state/store";
import { say } from "../words";

interface Props {
  /** The inputs that take a model file. */
  readonly needed: readonly FormInput[];
}

/** One card where a model is needed and none of its kind is there: where to put one, and to look again. */
export function NoModel({ needed }: Props) {
  const models = useEditor((state) => state.models);
  const reading = useEditor((state) => state.modelsReading);
  const refresh = useEditor((state) => state.refreshModels);
  useEffect(() => {
    if (reading === "unread") void refresh();
  }, [reading, refresh]);

  const kinds = new Set(
    needed.flatMap(({ field }) => (field.kind === "file" ? [field.files] : [])),
  );
  const missing = [...kinds].filter((kind) => !models.some((model) => model.kind === kind));
  const [kind] = missing;
  if (models.length === 0 && reading !== "read") return null;
  if (kind === undefined) return null;
  return (
    <section className="card" aria-label={say("noModel.title")}>
      <h3>
        <Icon name="models" />
        {say("noModel.title")}
      </h3>
      <p>{say("noModel.where")}</p>
      <p className="card-path">models/{kind}</p>
      <p className="quiet small">{say("noModel.which")}</p>
      <button type="button" className="button" onClick={() => void refresh()}>
        <Icon name="refresh" small />
        {say("widget.lookAgain")}
      </button>
    </section>
  );
}
