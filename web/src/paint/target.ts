/** Where a painted mask goes: found by what node types take and give, never by their names. */

import { typeNamed, type Catalogue, type NodeType } from "../graph/catalogue";
import { together, type Command } from "../graph/commands/command";
import { setInput } from "../graph/commands/inputs";
import { connect } from "../graph/commands/links";
import { addNode, freshNodeId } from "../graph/commands/nodes";
import type { Graph, Workflow } from "../graph/document";
import { graphAt, nodesOf, withGraph } from "../graph/graphs";
import type { NodeId } from "../graph/ids";
import { at, entriesOf } from "../graph/tables";
import type { PortType } from "../graph/types";
import { isLink } from "../graph/values";
import type { PictureInput } from "../state/gallery";

const MASK = "Mask";
const isMask = (type: PortType): boolean => type.kind === "named" && type.name === MASK;

/** The input by which a node type reads a mask from a picture file; none if it is no such type. */
export function maskInput(type: NodeType | undefined): string | null {
  if (type === undefined || type.outputs.length === 0) return null;
  if (!type.outputs.every((output) => isMask(output.type))) return null;
  return type.inputs.find((field) => field.kind === "image")?.name ?? null;
}

/** What is painted over, and where its mask is or will be. */
export interface Target {
  /** The name of the picture beneath; null if there is none. */
  readonly picture: string | null;
  /** The input that holds the mask's file; null if a node has to be added for it. */
  readonly mask: PictureInput | null;
  /** The file of the mask that is there already. */
  readonly painted: string | null;
}

/** The target of painting on an image input: on a picture its mask, on a mask that mask itself. */
export function targetOf(workflow: Workflow, place: PictureInput, catalogue: Catalogue): Target {
  const graph = graphAt(workflow, place.path);
  const type = (id: NodeId) => {
    const node = at(graph?.nodes, id);
    return node && typeNamed(catalogue, node.type);
  };
  const file = (id: NodeId, input: string | null) => {
    const value = input === null ? undefined : at(at(graph?.nodes, id)?.inputs, input);
    return typeof value === "string" && value !== "" ? value : null;
  };
  if (maskInput(type(place.node)) === place.input) {
    const beneath = nodesOf(graph)
      .filter(([id]) => maskInput(type(id)) === null)
      .flatMap(
        ([id]) =>
          file(id, type(id)?.inputs.find((each) => each.kind === "image")?.name ?? null) ?? [],
      );
    return { picture: beneath[0] ?? null, mask: place, painted: file(place.node, place.input) };
  }
  const masks = nodesOf(graph).flatMap(([id]) => {
    const input = maskInput(type(id));
    return input === null ? [] : [{ node: id, input }];
  });
  const own = masks.find(({ node }) => at(graph?.view?.nodes, node)?.["mask_of"] === place.node);
  // One that was not painted here is taken if it cannot belong to another picture.
  const found =
    own ?? (pictureCount(graph, catalogue) === 1 && masks.length === 1 ? masks[0] : undefined);
  return {
    picture: file(place.node, place.input),
    mask: found === undefined ? null : { path: place.path, ...found },
    painted: found === undefined ? null : file(found.node, found.input),
  };
}

function pictureCount(graph: Graph | undefined, catalogue: Catalogue): number {
  return nodesOf(graph).filter(([, node]) => {
    const type = typeNamed(catalogue, node.type);
    return (
      maskInput(type) === null && type?.inputs.some((field) => field.kind === "image") === true
    );
  }).length;
}

/** Put a painted mask into the document, with a node of its own where there is none; null if no type could hold it. */
export function putMask(
  workflow: Workflow,
  place: PictureInput,
  name: string,
  catalogue: Catalogue,
): Command | null {
  const { mask } = targetOf(workflow, place, catalogue);
  if (mask !== null) {
    const node = at(graphAt(workflow, mask.path)?.nodes, mask.node);
    const type = node && typeNamed(catalogue, node.type);
    return together(
      "paint_mask",
      setInput(mask.path, mask.node, mask.input, name),
      ...readWhite(mask, type),
    );
  }
  const type = [...catalogue.types.values()].find((each) => maskInput(each) !== null);
  const input = maskInput(type);
  const output = type?.outputs[0]?.name;
  if (type === undefined || input === null || output === undefined) return null;
  const { path } = place;
  const graph = graphAt(workflow, path);
  const beside = at(graph?.view?.nodes, place.node);
  const node = freshNodeId(workflow, path, type.name);
  const add = addNode(path, {
    type: type.name,
    id: node,
    x: beside?.x ?? 0,
    y: (beside?.y ?? 0) + (beside?.height ?? 320) + 40,
    inputs: { [input]: name },
  });
  return together(
    "paint_mask",
    add,
    ...readWhite({ path, node, input }, type),
    belongs(path, node, place.node),
    ...wanting(graph, place.node, catalogue).map((to) => connect(path, { node, output }, to)),
  );
}

/** White is what is to be repainted: where a channel can be chosen, one that is read as it is. */
function readWhite({ path, node }: PictureInput, type: NodeType | undefined): Command[] {
  const field = type?.inputs.find(
    (each) => each.kind === "choice" && each.choices.includes("luminance"),
  );
  return field === undefined ? [] : [setInput(path, node, field.name, "luminance")];
}

function belongs(path: PictureInput["path"], mask: NodeId, picture: NodeId): Command {
  return {
    name: "paint_mask",
    apply: (workflow) => {
      const change = (graph: Graph): Graph => ({
        ...graph,
        view: {
          ...graph.view,
          nodes: {
            ...graph.view?.nodes,
            [mask]: { ...at(graph.view?.nodes, mask), mask_of: picture },
          },
        },
      });
      return withGraph(workflow, path, change);
    },
  };
}

/** Inputs that lack a mask, or have that of the picture itself. */
function wanting(graph: Graph | undefined, picture: NodeId, catalogue: Catalogue) {
  return nodesOf(graph).flatMap(([node, { type, inputs }]) =>
    (typeNamed(catalogue, type)?.inputs ?? [])
      .filter((field) => field.kind === "link" && isMask(field.type))
      .filter((field) => {
        const value = at(inputs, field.name);
        if (value === undefined) return field.required;
        return isLink(value) && value.$link[0] === picture;
      })
      .map((field) => ({ node, input: field.name })),
  );
}

/** The file of the picture that a node works on: the nearest one up its wires, else any of the graph. */
export function pictureBeneath(
  workflow: Workflow,
  path: PictureInput["path"],
  node: NodeId,
  catalogue: Catalogue,
): string | null {
  const graph = graphAt(workflow, path);
  const seen = new Set<NodeId>();
  let front: NodeId[] = [node];
  while (front.length > 0) {
    const next: NodeId[] = [];
    for (const id of front) {
      const found = at(graph?.nodes, id);
      if (found === undefined || seen.has(id)) continue;
      seen.add(id);
      const type = typeNamed(catalogue, found.type);
      const input =
        maskInput(type) === null ? type?.inputs.find((field) => field.kind === "image") : undefined;
      const value = input && at(found.inputs, input.name);
      if (typeof value === "string" && value !== "") return value;
      for (const [, given] of entriesOf(found.inputs)) if (isLink(given)) next.push(given.$link[0]);
    }
    front = next;
  }
  return null;
}
