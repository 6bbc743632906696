/** Ids that the type checker keeps apart, and new ones that people can read. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The id of a node within its graph. */
export type NodeId = Branded<"NodeId">;
/** The name of a node type. */
export type TypeName = Branded<"TypeName">;
/** The name of a graph within a workflow's subgraphs. */
export type GraphName = Branded<"GraphName">;
/** Where a graph stands in the document: the names of subgraphs from the root; [] is the workflow. */
export type GraphPath = readonly GraphName[];

export const nodeId = (id: string): NodeId => id as NodeId;
export const typeName = (name: string): TypeName => name as TypeName;
export const graphName = (name: string): GraphName => name as GraphName;

/** An id that nothing else has; `randomUUID` is missing where a page came without TLS. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A name like this one that is not taken: `sampler`, `sampler_2`. */
export function freshName(like: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(like)) return like;
  const stem = like.replace(/_\d+$/, "");
  for (let number = 2; ; number += 1) {
    const name = `${stem}_${number}`;
    if (!isTaken(name)) return name;
  }
}

/** A type's name as an id: `ABCThing` is `abc_thing`; a single leading letter is left out. */
export function idLike(type: string): string {
  const words = type
    .replace(/^[A-Z](?=[A-Z][a-z])/, "")
    .replace(/([A-Z]{2,})([A-Z][a-z])/g, "$1_$2")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  return /^\d*$/.test(words) ? `node_${words}`.replace(/_$/, "") : words;
}
