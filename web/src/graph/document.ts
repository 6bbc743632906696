/** The workflow document as JSON, never changed in place. Keys that are not known here are kept. */

import type { GraphName, NodeId, TypeName } from "./ids";
import type { Json } from "./json";

export type { Json, JsonObject } from "./json";

export type Mode = "normal" | "mute" | "bypass";

export type Link = { readonly $link: readonly [node: NodeId, output: string] };

/** Evenly spaced numbers, both ends included. */
export type Range = {
  readonly $range: {
    readonly from: Json;
    readonly to?: Json;
    readonly count?: Json;
    readonly step?: Json;
  };
};

/** An input as an axis of a sweep: its values one by one. */
export type Axis = { readonly $axis: readonly Json[] | Range; readonly name?: string };

/** What stands in an input: JSON, in which links may stand at any depth, or an axis of a sweep. */
export type Value = Json;

export type GraphNode = {
  readonly type: TypeName;
  readonly version: number;
  readonly mode?: "mute" | "bypass";
  readonly inputs: { readonly [input: string]: Value };
  /** What a node that stands for a graph names: one of the subgraphs, or a file. */
  readonly graph?: GraphName;
  readonly [key: string]: Json;
};

export type InputEnd = {
  readonly node: NodeId;
  readonly input: string;
  /** Further inputs that take the same value. */
  readonly also?: readonly InputEnd[];
  readonly [key: string]: Json;
};

export type OutputEnd = {
  readonly node: NodeId;
  readonly output: string;
  readonly [key: string]: Json;
};

export type NodePlace = {
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  readonly title?: string;
  readonly collapsed?: boolean;
  readonly pinned?: boolean;
  /** Its wires are drawn only while it is selected. */
  readonly wiresHidden?: boolean;
  readonly [key: string]: Json;
};

export type Frame = {
  readonly id: string;
  readonly title: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour?: string;
  readonly [key: string]: Json;
};

export type Note = {
  readonly id: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly [key: string]: Json;
};

/** A dot on a wire: where the wire into an input bends. */
export type Reroute = {
  readonly id: string;
  readonly node: NodeId;
  readonly input: string;
  readonly x: number;
  readonly y: number;
  readonly [key: string]: Json;
};

export type View = {
  readonly nodes?: { readonly [node: string]: NodePlace };
  readonly groups?: readonly Frame[];
  readonly notes?: readonly Note[];
  readonly reroutes?: readonly Reroute[];
  readonly [key: string]: Json;
};

/** A graph: the whole workflow, or one of its subgraphs. */
export type Graph = {
  readonly name?: string;
  readonly inputs: { readonly [name: string]: InputEnd };
  readonly outputs: { readonly [name: string]: OutputEnd };
  readonly nodes: { readonly [node: string]: GraphNode };
  readonly subgraphs?: { readonly [name: string]: Graph };
  readonly view?: View;
  readonly [key: string]: Json;
};

export type Workflow = Graph & { readonly darkroom: number; readonly name: string };

export function emptyWorkflow(name: string): Workflow {
  return { darkroom: 1, name, inputs: {}, outputs: {}, nodes: {} };
}
