import { expect, it } from "vitest";

import { float } from "../graph/json";
import { fieldFrom } from "../graph/schema";
import type { Json } from "../graph/document";
import { sweepOf } from "./AxisBox";

const readField = (name: string, schema: Json) =>
  fieldFrom(name, schema, { definitions: {}, required: false });

it("starts a sweep with two values that differ, where it can tell one", () => {
  const whole = readField("steps", { type: "integer", minimum: 1, maximum: 20 });
  expect(sweepOf(whole, 19)).toEqual({ $axis: [19, 20] });
  expect(sweepOf(whole, 20)).toEqual({ $axis: [20, 19] });
  const scale = readField("scale", { type: "number", minimum: 0, multipleOf: 0.5 });
  expect(sweepOf(scale, float(3))).toEqual({ $axis: [float(3), float(3.5)] });
  const choice = readField("sampler", { enum: ["euler", "heun"] });
  expect(sweepOf(choice, "euler")).toEqual({ $axis: ["euler", "heun"] });
  expect(sweepOf(readField("text", { type: "string" }), "a")).toEqual({ $axis: ["a", "a"] });
});
