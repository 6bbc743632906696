import { describe, expect, it } from "vitest";

import { catalogueFrom } from "../graph/catalogue";
import { nodeId } from "../graph/ids";
import type { JsonObject } from "../graph/json";
import { readWorkflow } from "../graph/read";
import { padsOf, rectOfPads, sideMoved, within } from "./frames";
import { frameFields } from "../graph/framing";
import { pictureBeneath, putMask, targetOf } from "./target";

const image = { type: "string", files: "images" };
const type = (
  properties: JsonObject,
  required: string[],
  types: JsonObject,
  outputs: JsonObject,
) => ({
  version: 1,
  inputs: { properties, required },
  types,
  outputs,
});
const catalogue = catalogueFrom({
  digest: "d",
  nodes: {
    Shot: type({ file: image }, ["file"], { file: "str" }, { picture: "Image", alpha: "Mask" }),
    Stencil: type(
      { file: image, channel: { type: "string", enum: ["alpha", "luminance"], default: "alpha" } },
      ["file"],
      { file: "str", channel: "'alpha' | 'luminance'" },
      { value: "Mask" },
    ),
    Repaint: type(
      { picture: { link: "Image" }, mask: { link: "Mask" } },
      ["picture", "mask"],
      { picture: "Image", mask: "Mask" },
      { value: "Image" },
    ),
    Widen: type(
      Object.fromEntries(
        ["left", "top", "right", "bottom"].map((side) => [side, { type: "integer", default: 0 }]),
      ),
      [],
      {},
      { value: "Image" },
    ),
  },
});

const document = (nodes: object) =>
  readWorkflow(
    JSON.stringify({ darkroom: 1, name: "w", inputs: {}, outputs: {}, nodes, view: { nodes: {} } }),
  );
const place = { path: [], node: nodeId("shot"), input: "file" };
const shot = { type: "Shot", version: 1, inputs: { file: "cat.png" } };

describe("a painted mask", () => {
  it("gets a node of its own, wired to what lacks a mask, and is found there again", () => {
    const repaint = {
      type: "Repaint",
      version: 1,
      inputs: { picture: { $link: ["shot", "picture"] }, mask: { $link: ["shot", "alpha"] } },
    };
    const before = document({ shot, repaint });
    expect(targetOf(before, place, catalogue)).toEqual({
      picture: "cat.png",
      mask: null,
      painted: null,
    });
    const after = putMask(before, place, "cat-mask.png", catalogue)?.apply(before, catalogue);
    if (after === undefined) throw new Error("no command");
    const target = targetOf(after, place, catalogue);
    expect(target.painted).toBe("cat-mask.png");
    const added = target.mask?.node ?? "";
    expect(after.nodes[added]?.inputs["channel"]).toBe("luminance");
    expect(after.nodes["repaint"]?.inputs["mask"]).toEqual({ $link: [added, "value"] });
  });

  it("goes into the one that the workflow has", () => {
    const stencil = { type: "Stencil", version: 1, inputs: { file: "old.png" } };
    const before = document({ shot, stencil });
    const after = putMask(before, place, "new.png", catalogue)?.apply(before, catalogue);
    expect(after?.nodes["stencil"]?.inputs).toEqual({ file: "new.png", channel: "luminance" });
    expect(Object.keys(after?.nodes ?? {})).toEqual(["shot", "stencil"]);
  });

  it("is painted over its picture when it is opened from the mask's own input", () => {
    const stencil = { type: "Stencil", version: 1, inputs: { file: "old.png" } };
    const own = { path: [], node: nodeId("stencil"), input: "file" };
    expect(targetOf(document({ shot, stencil }), own, catalogue)).toEqual({
      picture: "cat.png",
      mask: own,
      painted: "old.png",
    });
  });
});

describe("a frame", () => {
  it("is found by the fields of a type, and lies on the picture up the wires", () => {
    const widen = { type: "Widen", version: 1, inputs: { image: { $link: ["shot", "picture"] } } };
    const kind = [...catalogue.types.values()].find((each) => each.name === "Widen");
    expect(frameFields(kind)).toMatchObject({ kind: "pad", left: "left" });
    const found = pictureBeneath(document({ shot, widen }), [], nodeId("widen"), catalogue);
    expect(found).toBe("cat.png");
  });

  it("adds in steps of eight pixels and cuts nothing off", () => {
    const rect = rectOfPads({ left: 8, top: 0, right: 0, bottom: 0 }, 100, 80);
    expect(padsOf(sideMoved(rect, "left", -27), 100, 80)).toEqual({
      left: 32,
      top: 0,
      right: 0,
      bottom: 0,
    });
    expect(padsOf(sideMoved(rect, "left", 50), 100, 80).left).toBe(0);
  });

  it("keeps a box on the picture", () => {
    expect(within({ x: 90, y: -20, width: 60, height: 3 }, 128, 64)).toEqual({
      x: 64,
      y: 0,
      width: 64,
      height: 8,
    });
  });
});
