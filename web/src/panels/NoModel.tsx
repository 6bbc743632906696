import { useEffect, useState, type DragEvent } from "react";

import { Icon } from "../look/Icon";
import { modelsFolder, whereModelsGo } from "../state/dropped";
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
  const folder = useEditor((state) => state.modelsFolder);
  const refresh = useEditor((state) => state.refreshModels);
  const [dropped, setDropped] = useState<string | null>(null);
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
  const onDrop = (event: DragEvent) => {
    const [file] = event.dataTransfer.files;
    if (file === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setDropped(file.name);
  };
  return (
    <section
      className="card"
      aria-label={say("noModel.title")}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        event.stopPropagation();
      }}
      onDrop={onDrop}
    >
      <h3>
        <Icon name="models" />
        {say("noModel.title")}
      </h3>
      <p>{say(folder === null ? "noModel.where" : "noModel.whereWhole")}</p>
      <p className="card-path">{modelsFolder(folder, kind)}</p>
      <p className="quiet small">{say("noModel.which")}</p>
      {dropped !== null && (
        <p className="notice warning" role="alert">
          {whereModelsGo(dropped, folder, kind)}
        </p>
      )}
      <button
        type="button"
        className="button"
        onClick={() => {
          setDropped(null);
          void refresh();
        }}
      >
        <Icon name="refresh" small />
        {say("widget.lookAgain")}
      </button>
    </section>
  );
}
