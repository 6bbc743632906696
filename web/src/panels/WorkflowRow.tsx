import { useState } from "react";

import type { WorkflowEntry } from "../api/shapes";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { Tool } from "../widgets/Tool";
import { say } from "../words";
import { Sure } from "./Sure";
import { Versions } from "./Versions";

interface Props {
  readonly entry: WorkflowEntry;
}

type Doing = "rename" | "delete" | "versions" | null;

/** A saved workflow: a press opens it; it can be renamed, deleted, and had as it was. */
export function WorkflowRow({ entry }: Props) {
  const { name, title, shipped, fault } = entry;
  const openFile = useEditor((state) => state.openFile);
  const deleteFile = useEditor((state) => state.deleteFile);
  const isOpen = useEditor((state) => state.tabs.some((tab) => tab.file?.name === name));
  const [doing, setDoing] = useState<Doing>(null);
  const toggle = (next: Doing) => setDoing(doing === next ? null : next);
  return (
    <li className={isOpen ? "shelf-row open" : "shelf-row"}>
      {doing === "rename" ? (
        <Rename entry={entry} onDone={() => setDoing(null)} />
      ) : (
        <div className="shelf-line">
          <button type="button" className="shelf-open" onClick={() => void openFile(name)}>
            <Icon name="workflows" small />
            <span className="shelf-title">{title === "" ? name : title}</span>
            {fault !== null && <Icon name="warning" small />}
            <span className="shelf-name">{name}</span>
          </button>
          {!shipped && (
            <span className="shelf-actions">
              <Tool
                icon="history"
                label={say("workflows.versions", { name })}
                onAct={() => toggle("versions")}
              />
              <Tool
                icon="pencil"
                label={say("workflows.rename", { name })}
                onAct={() => toggle("rename")}
              />
              <Tool
                icon="trash"
                label={say("workflows.delete", { name })}
                onAct={() => toggle("delete")}
              />
            </span>
          )}
        </div>
      )}
      {fault !== null && <p className="shelf-fault">{fault}</p>}
      {doing === "delete" && (
        <Sure
          className="shelf-question"
          label={say("workflows.delete", { name })}
          question={say("workflows.sure", { name })}
          yes={say("workflows.doDelete")}
          no={say("dialog.keep")}
          onYes={() => void deleteFile(entry)}
          onNo={() => setDoing(null)}
        />
      )}
      {doing === "versions" && <Versions name={name} />}
    </li>
  );
}

interface RenameProps extends Props {
  readonly onDone: () => void;
}

function Rename({ entry, onDone }: RenameProps) {
  const renameFile = useEditor((state) => state.renameFile);
  const [name, setName] = useState(entry.name);
  return (
    <form
      className="shelf-rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() === "" || name === entry.name) onDone();
        else void renameFile(entry, name.trim()).then((isDone) => isDone && onDone());
      }}
    >
      <span className="field-box text">
        <input
          aria-label={say("workflows.rename", { name: entry.name })}
          value={name}
          autoFocus
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") onDone();
          }}
        />
      </span>
      <button type="submit" className="icon-button framed" aria-label={say("workflows.doRename")}>
        <Icon name="check" small />
      </button>
    </form>
  );
}
