import { describe, expect, it } from "vitest";

import { shapeOf, shapesFor } from "./form";
import { nearest } from "./near";
import { settingsFrom, standardSettings } from "./settings";

describe("remembered settings", () => {
  it("are the standard ones where nothing usable was remembered", () => {
    expect(settingsFrom(null)).toEqual(standardSettings);
    expect(settingsFrom({ theme: "pink", scale: "big", keys: [1] })).toEqual(standardSettings);
  });

  it("stay within their bounds", () => {
    expect(settingsFrom({ scale: 9, sideWidth: 1 })).toMatchObject({ scale: 2, sideWidth: 260 });
  });

  it("survive a round through JSON", () => {
    const chosen = { ...standardSettings, theme: "light", start: { kind: "workflow", name: "a" } };
    expect(settingsFrom(JSON.parse(JSON.stringify(chosen)))).toEqual(chosen);
  });
});

describe("shapes of a size", () => {
  it("keep about as many pixels, on the grid", () => {
    const [, portrait] = shapesFor(512, 512, 8);
    expect(portrait).toEqual({ code: "portrait", width: 440, height: 592 });
  });

  it("are recognised at any size", () => {
    expect(shapeOf(128, 128)).toBe("square");
    expect(shapeOf(1920, 1080)).toBe("wide");
    expect(shapeOf(1000, 100)).toBeNull();
  });
});

describe("the likest names", () => {
  it("are found over endings, signs and slips", () => {
    const names = ["portrait_v2.ckpt", "landscape.safetensors", "portrait-1.safetensors"];
    expect(nearest("Portrait v2.safetensors", names)[0]).toBe("portrait_v2.ckpt");
    expect(nearest("anything", names)).toEqual([]);
  });
});
