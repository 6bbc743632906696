/** The workflow document as JSON, immutable. Keys that are not known here are kept untouched. */

import type { GraphName, NodeId, TypeName } from "./ids";

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export type Mode = "normal" | "mute" | "bypass";

export interface Link {
  readonly $link: readonly [node: NodeId, output: string];
}

export interface Axis {
  readonly $axis: Json;
  readonly name?: string;
}

/** What stands in an input: JSON, in which links may stand at any depth, or an axis of a sweep. */
export type Value = Json | Link | Axis | readonly Value[] | { readonly [key: string]: Value };

export interface GraphNode {
  readonly type: TypeName;
  readonly version: number;
  readonly inputs: { readonly [input: string]: Value };
  readonly mode?: Mode;
  /** What a node that stands for a graph names: one of the subgraphs, or a file. */
  readonly graph?: GraphName;
  readonly [key: string]: unknown;
}

export interface InputEnd {
  readonly node: NodeId;
  readonly input: string;
  readonly also?: readonly InputEnd[];
}

export interface OutputEnd {
  readonly node: NodeId;
  readonly output: string;
}

export interface NodePlace {
  readonly x: number;
  readonly y: number;
  readonly width?: number;
  readonly height?: number;
  readonly title?: string;
  readonly collapsed?: boolean;
  readonly pinned?: boolean;
  readonly [key: string]: unknown;
}

export interface Frame {
  readonly id: string;
  readonly title: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly colour?: string;
}

export interface Note {
  readonly id: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A dot on a wire: where the wire into an input bends. */
export interface Reroute {
  readonly id: string;
  readonly node: NodeId;
  readonly input: string;
  readonly x: number;
  readonly y: number;
}

export interface View {
  readonly nodes?: { readonly [node: string]: NodePlace };
  readonly groups?: readonly Frame[];
  readonly notes?: readonly Note[];
  readonly reroutes?: readonly Reroute[];
  readonly [key: string]: unknown;
}

/** A graph: the whole workflow, or one of its subgraphs. */
export interface Graph {
  readonly name?: string;
  readonly inputs: { readonly [name: string]: InputEnd };
  readonly outputs: { readonly [name: string]: OutputEnd };
  readonly nodes: { readonly [node: string]: GraphNode };
  readonly subgraphs?: { readonly [name: string]: Graph };
  readonly view?: View;
  readonly [key: string]: unknown;
}

export interface Workflow extends Graph {
  readonly darkroom: 1;
  readonly name: string;
}
