/** Ids that the type checker keeps apart. */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The id of a node within its graph. */
export type NodeId = Branded<"NodeId">;
/** The name of a node type. */
export type TypeName = Branded<"TypeName">;
/** The name of a graph within a workflow's subgraphs. */
export type GraphName = Branded<"GraphName">;

export const nodeId = (id: string): NodeId => id as NodeId;
export const typeName = (name: string): TypeName => name as TypeName;
export const graphName = (name: string): GraphName => name as GraphName;
