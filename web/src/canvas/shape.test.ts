import { expect, test } from "vitest";

import { readJson } from "../graph/json";
import { fieldFrom } from "../graph/schema";
import { measuresOf, shapeOf } from "./shape";

const number = { type: "number" };
const kinds = {
  oneOf: ["a", "b"].map((kind) => ({
    type: "object",
    properties: { kind: { const: kind }, first: number, second: number },
  })),
  discriminator: { propertyName: "kind" },
};

function heightOf(schema: object, value: object) {
  const field = fieldFrom("input", readJson(JSON.stringify(schema)), {
    definitions: {},
    required: false,
  });
  const inputs = { input: readJson(JSON.stringify(value)) };
  const shape = shapeOf(
    { inputs: [field], outputs: [] },
    {},
    { inputs, picture: false },
    measuresOf("comfortable", 1),
  );
  return shape.fields[0]?.height ?? 0;
}

test("a union has as much room as its fields would have one below the other", () => {
  expect(heightOf(kinds, { kind: "a" })).toBe(3 * heightOf(number, {}));
});
