/** Node types that frame a picture, found by the names of their fields. */

import type { NodeType } from "./catalogue";

/** The fields by which a node type frames a picture: how much is added, or what part is taken. */
export type FrameFields =
  | {
      readonly kind: "pad";
      readonly left: string;
      readonly top: string;
      readonly right: string;
      readonly bottom: string;
    }
  | {
      readonly kind: "box";
      readonly x: string;
      readonly y: string;
      readonly width: string;
      readonly height: string;
    };

export function frameFields(type: NodeType | undefined): FrameFields | null {
  const names = (type?.inputs ?? [])
    .filter((field) => field.kind === "integer")
    .map(({ name }) => name);
  const find = (word: string) => names.find((name) => name === word || name.endsWith(`_${word}`));
  const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map(find);
  if (left && top && right && bottom) return { kind: "pad", left, top, right, bottom };
  const [x, y, width, height] = ["x", "y", "width", "height"].map(find);
  if (x && y && width && height) return { kind: "box", x, y, width, height };
  return null;
}
