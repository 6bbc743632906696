import { useEffect, useMemo, useState } from "react";

import type { Catalogue } from "../graph/catalogue";
import { together } from "../graph/commands/command";
import { setInput } from "../graph/commands/inputs";
import type { Workflow } from "../graph/document";
import { graphAt, graphPaths, nodesOf } from "../graph/graphs";
import type { GraphPath, NodeId } from "../graph/ids";
import { portsOf } from "../graph/ports";
import { at } from "../graph/tables";
import { Icon } from "../look/Icon";
import { modelsFolder } from "../state/dropped";
import type { ModelFile } from "../state/models";
import { nearest } from "../state/near";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { titleIn } from "../state/titles";
import { say, sayCount } from "../words";
import { sizeText } from "../widgets/sizes";
import { DrawerHead } from "./DrawerHead";
import { isFound } from "./found";
import "./drawer.css";

/** The model files by kind, with what is wrong with them, and what the graph asks for in vain. */
export function ModelsPanel() {
  const models = useEditor((state) => state.models);
  const reading = useEditor((state) => state.modelsReading);
  const folder = useEditor((state) => state.modelsFolder);
  const refresh = useEditor((state) => state.refreshModels);
  const [query, setQuery] = useState("");
  useEffect(() => {
    if (reading === "unread") void refresh();
  }, [reading, refresh]);
  const found = models.filter(({ name, family, kind }) => isFound(query, name, family, kind));
  const kinds = [...new Set(found.map((model) => model.kind))].sort();
  return (
    <>
      <DrawerHead title={say("drawer.models")} query={query} onQuery={setQuery}>
        <button
          type="button"
          className="icon-button"
          aria-label={say("widget.lookAgain")}
          title={`${say("widget.lookAgain")} (R)`}
          disabled={reading === "reading"}
          onClick={() => void refresh()}
        >
          <Icon name="refresh" />
        </button>
      </DrawerHead>
      <div className="drawer-list" aria-busy={reading === "reading"}>
        {reading === "failed" && <p className="notice warning">{say("models.failed")}</p>}
        <Missing />
        {kinds.map((kind) => (
          <section key={kind} className="drawer-section" aria-label={kind}>
            <h3>
              {kind}
              <span>{found.filter((model) => model.kind === kind).length}</span>
            </h3>
            <ul>
              {found
                .filter((model) => model.kind === kind)
                .map((model) => (
                  <ModelRow key={model.path} model={model} />
                ))}
            </ul>
          </section>
        ))}
        {models.length === 0 && reading === "read" && (
          <p className="drawer-none">{say("models.none", { folder: modelsFolder(folder) })}</p>
        )}
        {models.length > 0 && found.length === 0 && (
          <p className="drawer-none">{say("widget.nothingFound")}</p>
        )}
      </div>
    </>
  );
}

function ModelRow({ model }: { readonly model: ModelFile }) {
  const { name, title, family, bytes, fault, path } = model;
  return (
    <li className="model-row" title={path}>
      <span className="model-name">{name}</span>
      <span className="model-facts">
        {[family === "" ? title : family, sizeText(bytes)].filter(Boolean).join(" · ")}
      </span>
      {fault !== "" && (
        <p className="field-problem">
          <Icon name="warning" small />
          {fault}
        </p>
      )}
    </li>
  );
}

interface Wanted {
  readonly path: GraphPath;
  readonly node: NodeId;
  readonly title: string;
  readonly input: string;
  readonly name: string;
  readonly near: string | undefined;
}

/** What the workflow asks for and is not there, each with the likest that is; one press takes all. */
function Missing() {
  const wanted = useWanted();
  const perform = useEditor((state) => state.perform);
  const fixable = wanted.filter(({ near }) => near !== undefined);
  if (wanted.length === 0) return null;
  const fix = (all: readonly Wanted[]) => {
    const commands = all.flatMap(({ path, node, input, near }) =>
      near === undefined ? [] : [setInput(path, node, input, near)],
    );
    perform(together("set_input", ...commands));
  };
  return (
    <section className="drawer-section missing" aria-label={say("models.missing")}>
      <h3>{sayCount("models.oneMissing", "models.manyMissing", wanted.length)}</h3>
      <ul>
        {wanted.map((each) => (
          <li key={[...each.path, each.node, each.input].join(" ")} className="model-row">
            <span className="model-name">{each.name}</span>
            <span className="model-facts">{each.title}</span>
            {each.near !== undefined && (
              <button type="button" className="remedy small" onClick={() => fix([each])}>
                {say("widget.takeInstead", { name: each.near })}
              </button>
            )}
          </li>
        ))}
      </ul>
      {fixable.length > 1 && (
        <button type="button" className="button" onClick={() => fix(fixable)}>
          {say("models.fixAll")}
        </button>
      )}
    </section>
  );
}

function useWanted(): readonly Wanted[] {
  const workflow = useEditor(activeWorkflow);
  const catalogue = useEditor((state) => state.catalogue);
  const models = useEditor((state) => state.models);
  const reading = useEditor((state) => state.modelsReading);
  return useMemo(
    () => (reading === "read" ? wantedIn(workflow, catalogue, models) : []),
    [workflow, catalogue, models, reading],
  );
}

/** The files that are asked for in vain, in the workflow and in its subgraphs. */
function wantedIn(
  workflow: Workflow,
  catalogue: Catalogue,
  models: readonly ModelFile[],
): readonly Wanted[] {
  return graphPaths(workflow).flatMap((path) => {
    const graph = graphAt(workflow, path) ?? workflow;
    const within = path.length === 0 ? "" : `${graph.name ?? path.join("/")}: `;
    return nodesOf(graph).flatMap(([node, { inputs }]) =>
      portsOf(workflow, path, node, catalogue).inputs.flatMap((field) => {
        const name = at(inputs, field.name);
        if (field.kind !== "file" || typeof name !== "string") return [];
        const names = models.filter((model) => model.kind === field.files).map((each) => each.name);
        if (names.includes(name)) return [];
        const [near] = nearest(name, names, 1);
        const title = `${within}${titleIn(graph, node)}`;
        return [{ path, node, title, input: field.name, name, near }];
      }),
    );
  });
}
