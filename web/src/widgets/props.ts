/** What every widget gets, and how it tells what was done with it. */

import type { ComponentType } from "react";

import type { Value } from "../graph/document";
import type { GraphPath, NodeId } from "../graph/ids";
import type { Field } from "../graph/schema";

/** The input of a document that a widget is for. */
export interface FieldPlace {
  readonly path: GraphPath;
  readonly node: NodeId;
  readonly input: string;
}

export interface WidgetProps<Kind> {
  readonly field: Kind;
  /** What stands in the document; undefined: nothing, so that the default holds. */
  readonly value: Value | undefined;
  /**
   * A new value. Changes of one `gesture`, such as one drag or the typing between two clicks, are one step of undo:
   * hand it on as the key that merges.
   */
  readonly onChange: (value: Value, gesture?: string) => void;
  /** The accessible name: "TITLE, INPUT". */
  readonly label: string;
  /** Within a node on the canvas: one row, if the kind can do with one. */
  readonly compact?: boolean;
  /** Linked, or not to be changed here. */
  readonly disabled?: boolean;
  /** Where the value stands, for what is kept beside it: what a seed does after a run, a painted mask. */
  readonly place?: FieldPlace | undefined;
  /** What is wrong with the value, with the remedy. */
  readonly problem?: string | undefined;
}

/** What widgets that have others within them get besides: how those are drawn. */
export interface Nesting {
  readonly Inner: ComponentType<WidgetProps<Field>>;
}
