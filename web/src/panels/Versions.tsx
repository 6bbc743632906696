import { useEffect, useState } from "react";

import type { WorkflowVersion } from "../api/shapes";
import { useEditor } from "../state/store";
import { say } from "../words";
import { sizeText } from "../widgets/sizes";

interface Props {
  readonly name: string;
}

const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** What was saved under a name; each opens as a document of its own. */
export function Versions({ name }: Props) {
  const versionsOf = useEditor((state) => state.versionsOf);
  const open = useEditor((state) => state.openVersion);
  const [versions, setVersions] = useState<readonly WorkflowVersion[] | "failed" | null>(null);
  useEffect(() => {
    let isWanted = true;
    versionsOf(name)
      .then((found) => isWanted && setVersions(found.toReversed()))
      .catch(() => isWanted && setVersions("failed"));
    return () => {
      isWanted = false;
    };
  }, [name, versionsOf]);
  if (versions === null) return <p className="shelf-fault quiet">{say("panel.reading")}</p>;
  if (versions === "failed") return <p className="shelf-fault quiet">{say("workflows.failed")}</p>;
  if (versions.length === 0)
    return <p className="shelf-fault quiet">{say("workflows.noVersions")}</p>;
  return (
    <ol className="versions">
      {versions.map(({ version, saved, size }) => (
        <li key={version}>
          <button type="button" className="version" onClick={() => void open(name, version)}>
            <span>{say("workflows.version", { version })}</span>
            <span className="quiet">{when.format(new Date(saved))}</span>
            <span className="quiet">{sizeText(size)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
