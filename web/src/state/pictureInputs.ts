/** The inputs of a workflow that take a picture file, and the node type to add where there are none. */

import { typeNamed, type Catalogue, type NodeType } from "../graph/catalogue";
import type { Workflow } from "../graph/document";
import { graphAt, graphPaths, nodesOf } from "../graph/graphs";
import { at } from "../graph/tables";
import type { PictureInput } from "./gallery";

/** An input as it is offered: "TITLE, INPUT". */
export interface PictureChoice extends PictureInput {
  readonly title: string;
}

/** Every input of a document that takes the name of a picture, in its subgraphs too. */
export function pictureInputs(workflow: Workflow, catalogue: Catalogue): readonly PictureChoice[] {
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

/** The plainest node type that gives the picture of a file, and its input; none if there is no such type. */
export function pictureReader(
  catalogue: Catalogue,
): { readonly type: NodeType; readonly input: string } | null {
  const [plainest] = [...catalogue.types.values()]
    .filter(({ outputs }) =>
      outputs.some(({ type }) => type.kind === "named" && type.name === "Image"),
    )
    .flatMap((type) => {
      const field = type.inputs.find(({ kind }) => kind === "image");
      return field === undefined ? [] : [{ type, input: field.name }];
    })
    .toSorted((a, b) => a.type.inputs.length - b.type.inputs.length);
  return plainest ?? null;
}
