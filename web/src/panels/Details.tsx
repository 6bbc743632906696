import { useEffect } from "react";

import { entriesOf } from "../graph/tables";
import type { Workflow } from "../graph/document";
import { jobIdIn, jobOf, picturesOf } from "../state/gallery";
import { shortly } from "../state/changes";
import { useEditor } from "../state/store";
import { say } from "../words";
import { sizeText } from "../widgets/sizes";
import { clock, seconds } from "./measures";

/** How a picture was made: prompt, seed, model, and every other named input of its workflow. */
export function Details({ url }: { readonly url: string }) {
  const told = useEditor((state) => state.details[url]);
  const read = useEditor((state) => state.readDetails);
  const readDocument = useEditor((state) => state.readDocument);
  const document = useEditor((state) => state.documents[jobIdIn(url)]);
  const job = useEditor((state) => jobOf(state, url));
  const open = useEditor((state) => state.openJob);
  useEffect(() => {
    void read(url);
    void readDocument(jobIdIn(url)).catch(useEditor.getState().report);
  }, [read, readDocument, url]);
  const picture = job && picturesOf(job).find(({ file }) => file.url === url);
  const models = modelsIn(told);
  return (
    <aside className="details" aria-label={say("viewer.details")}>
      <dl>
        {document &&
          namedValues(document, picture?.labels).map(([name, value]) => (
            <Row key={name} name={name} value={value} />
          ))}
        {models.length > 0 && <Row name={say("detail.model")} value={models.join(", ")} />}
        {document && <Row name={say("detail.workflow")} value={document.name} />}
        {job?.finished != null && <Row name={say("detail.time")} value={clock(job.finished)} />}
        {job?.seconds != null && <Row name={say("detail.took")} value={seconds(job.seconds)} />}
        {picture && (
          <Row
            name={say("detail.file")}
            value={`${picture.file.path}, ${sizeText(picture.file.size)}`}
          />
        )}
      </dl>
      {told !== undefined && Object.keys(told).length === 0 && (
        <p className="notice">{say("detail.none")}</p>
      )}
      <button type="button" className="button" onClick={() => void open(jobIdIn(url))}>
        {say("gallery.open")}
      </button>
    </aside>
  );
}

function Row({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The values of the workflow's named inputs; in a cell of a sweep, that cell's. */
function namedValues(document: Workflow, labels: unknown): [string, string][] {
  return entriesOf(document.inputs).flatMap(([name, end]): [string, string][] => {
    const own: unknown =
      typeof labels === "object" && labels !== null ? Reflect.get(labels, name) : undefined;
    if (own !== undefined) return [[name, typeof own === "string" ? own : JSON.stringify(own)]];
    const value = document.nodes[end.node]?.inputs[end.input];
    return value === undefined || value === "" ? [] : [[name, shortly(value, 600)]];
  });
}

function modelsIn(told: Readonly<Record<string, unknown>> | undefined): string[] {
  const own = told?.["darkroom"];
  if (typeof own !== "object" || own === null || !("files" in own) || !Array.isArray(own.files))
    return [];
  return own.files.flatMap((file: unknown) =>
    typeof file === "object" && file !== null && "name" in file && typeof file.name === "string"
      ? [file.name]
      : [],
  );
}
