import { expect, test } from "vitest";

import { catalogue } from "../../tests/graph";
import type { Field } from "../graph/schema";
import { measuresOf, rowsOf, shapeOf } from "./shape";

const measures = measuresOf("comfortable", 1);
const unions = [...catalogue.types.values()]
  .flatMap(({ inputs }) => inputs)
  .filter((field) => field.kind === "union");

const heightOf = (field: Field): number =>
  shapeOf({ inputs: [field], outputs: [] }, {}, { inputs: {}, picture: false }, measures).fields[0]
    ?.height ?? 0;

test("a field with others within it has room for all of them and the gaps between", () => {
  expect(unions.length).toBeGreaterThan(0);
  for (const field of unions) {
    const rows = rowsOf(field, undefined, false);
    const gap = 0.25 * measures.rem;
    // Above the first and below the last there is half a gap each.
    expect(heightOf(field)).toBeGreaterThanOrEqual(rows * measures.row + (rows - 1) * gap + gap);
  }
});
