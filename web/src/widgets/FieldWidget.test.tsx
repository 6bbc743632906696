// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useState } from "react";

import type { Json, Value } from "../graph/document";
import { nodeId } from "../graph/ids";
import { Float, numberOf } from "../graph/json";
import { fieldFrom } from "../graph/schema";
import { useEditor } from "../state/store";
import { FieldWidget } from "./FieldWidget";

const label = "Sampler, Input";

/** A widget that holds its own value, and the values that it told. */
function shown(schema: Json, start?: Value, definitions = {}) {
  const told: Value[] = [];
  const field = fieldFrom("input", schema, { definitions, required: false });
  function Held() {
    const [value, setValue] = useState(start);
    return (
      <FieldWidget
        field={field}
        value={value}
        label={label}
        onChange={(next) => {
          told.push(next);
          setValue(next);
        }}
      />
    );
  }
  render(<Held />);
  return told;
}

const spin = () => screen.getByRole<HTMLInputElement>("spinbutton", { name: label });
const text = () => screen.getByRole<HTMLInputElement>("textbox", { name: label });

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined;
  Element.prototype.setPointerCapture = () => undefined;
});
afterEach(cleanup);

describe("a number", () => {
  const schema = { type: "integer", minimum: 1, maximum: 1000, default: 20 };

  it("shows its default, and tells nothing until it is changed", () => {
    const told = shown(schema);
    expect(spin().value).toBe("20");
    expect(told).toEqual([]);
  });

  it("takes arithmetic, brought into its range", () => {
    const told = shown(schema, 20);
    fireEvent.focus(spin());
    fireEvent.change(spin(), { target: { value: "800*2" } });
    fireEvent.keyDown(spin(), { key: "Enter" });
    expect(told.at(-1)).toBe(1000);
    expect(spin().value).toBe("1000");
  });

  it("keeps its value if what was typed is no number, and says so", () => {
    const told = shown(schema, 20);
    fireEvent.change(spin(), { target: { value: "many" } });
    fireEvent.blur(spin());
    expect(told).toEqual([]);
    expect(spin().value).toBe("20");
    expect(spin().getAttribute("aria-invalid")).toBe("true");
  });

  it("steps by arrows, ten times further with Shift", () => {
    const told = shown(schema, 20);
    fireEvent.keyDown(spin(), { key: "ArrowUp" });
    fireEvent.keyDown(spin(), { key: "ArrowUp", shiftKey: true });
    fireEvent.keyDown(spin(), { key: "ArrowDown" });
    expect(told).toEqual([21, 31, 30]);
  });

  it("is changed by dragging", () => {
    const told = shown(schema, 20);
    fireEvent.pointerDown(spin(), { button: 0, clientX: 100, pointerId: 1 });
    fireEvent.pointerMove(spin(), { clientX: 140, pointerId: 1 });
    fireEvent.pointerUp(spin(), { clientX: 140, pointerId: 1 });
    expect(told.at(-1)).toBe(30);
    expect(document.activeElement).not.toBe(spin());
  });

  it("gets the caret by a press without a drag", () => {
    const told = shown(schema, 20);
    fireEvent.pointerDown(spin(), { button: 0, clientX: 100, pointerId: 1 });
    fireEvent.pointerUp(spin(), { clientX: 101, pointerId: 1 });
    expect(document.activeElement).toBe(spin());
    expect(told).toEqual([]);
  });

  it("is never changed by the wheel", () => {
    const told = shown(schema, 20);
    spin().focus();
    fireEvent.wheel(spin(), { deltaY: -100 });
    expect(told).toEqual([]);
  });

  it("goes back to what it was on Escape", () => {
    shown(schema, 20);
    fireEvent.change(spin(), { target: { value: "20+" } });
    fireEvent.keyDown(spin(), { key: "Escape" });
    expect(spin().value).toBe("20");
  });

  it("stays a fraction in the document, also when it is whole", () => {
    const told = shown({ type: "number", minimum: 0, maximum: 10, step: 0.5 }, 2.5);
    fireEvent.keyDown(spin(), { key: "ArrowUp" });
    expect(told.at(-1)).toBeInstanceOf(Float);
    expect(numberOf(told.at(-1))).toBe(3);
  });
});

describe("a seed", () => {
  const schema = {
    type: "integer",
    minimum: 0,
    exclusiveMaximum: 18446744073709551616n,
    widget: "seed",
  };

  it("keeps numbers that JavaScript would round", () => {
    const told = shown(schema, 3);
    fireEvent.change(text(), { target: { value: "18446744073709551615" } });
    expect(told.at(-1)).toBe(18446744073709551615n);
  });

  it("refuses what is too large or no number", () => {
    const told = shown(schema, 3);
    fireEvent.change(text(), { target: { value: "18446744073709551616" } });
    expect(text().getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(text(), { target: { value: "-1" } });
    expect(told).toEqual([]);
  });

  it("is rolled", () => {
    vi.spyOn(crypto, "getRandomValues").mockReturnValue(new Uint32Array([2 ** 31]));
    const told = shown(schema, 3);
    fireEvent.click(screen.getByRole("button", { name: `Another seed, ${label}` }));
    expect(told).toEqual([2 ** 31]);
  });
});

describe("texts", () => {
  it("tells every letter", () => {
    const told = shown({ type: "string" }, "a");
    fireEvent.change(text(), { target: { value: "ab" } });
    expect(told).toEqual(["ab"]);
  });

  it("weighs the word at the caret by Ctrl+Up", () => {
    const told = shown({ type: "string", widget: "multiline" }, "a red house");
    text().setSelectionRange(3, 3);
    fireEvent.keyDown(text(), { key: "ArrowUp", ctrlKey: true });
    expect(told.at(-1)).toBe("a (red:1.1) house");
  });

  it("leaves undo to the browser while there is something of its own to undo, then to the graph", () => {
    const undo = vi.fn();
    useEditor.setState({ undo });
    shown({ type: "string" }, "a");
    fireEvent.focus(text());
    fireEvent.change(text(), { target: { value: "ab" } });
    fireEvent.keyDown(text(), { key: "z", ctrlKey: true });
    expect(undo).not.toHaveBeenCalled();
    fireEvent.change(text(), { target: { value: "a" } });
    fireEvent.keyDown(text(), { key: "z", ctrlKey: true });
    expect(undo).toHaveBeenCalledOnce();
  });
});

describe("a choice", () => {
  it("is found by typing and taken by Enter", () => {
    const told = shown({ enum: ["euler", "heun", "dpmpp_2m"], type: "string" }, "euler");
    const box = screen.getByRole("combobox", { name: label });
    fireEvent.keyDown(box, { key: "d" });
    const search = screen.getByRole("combobox", { name: `${label}: Search` });
    expect(screen.getAllByRole("option").map((each) => each.textContent)).toEqual(["dpmpp_2m"]);
    fireEvent.keyDown(search, { key: "Enter" });
    expect(told).toEqual(["dpmpp_2m"]);
    expect(document.activeElement).toBe(box);
  });

  it("goes through the list by arrows, and away by Escape without a change", () => {
    const told = shown({ enum: [1, 2, 4], type: "integer" }, 2);
    fireEvent.click(screen.getByRole("combobox", { name: label }));
    const search = screen.getByRole("combobox", { name: `${label}: Search` });
    fireEvent.keyDown(search, { key: "ArrowDown" });
    fireEvent.keyDown(search, { key: "Escape" });
    expect(screen.queryByRole("listbox")).toBeNull();
    fireEvent.click(screen.getByRole("combobox", { name: label }));
    fireEvent.click(screen.getByRole("option", { name: "4" }));
    expect(told).toEqual([4]);
  });
});

describe("a model file", () => {
  const model = { kind: "vae", path: "", bytes: 3e6, title: "", family: "sd1", fault: "" };

  it("says that it is missing, and offers the likest one", () => {
    useEditor.setState({
      modelsReading: "read",
      models: [
        { ...model, name: "portrait-v2.safetensors" },
        { ...model, name: "landscape.safetensors" },
      ],
    });
    const told = shown({ type: "string", files: "vae" }, "portrait.safetensors");
    expect(screen.getByRole("alert").textContent).toContain("“portrait.safetensors” is not there.");
    fireEvent.click(screen.getByRole("button", { name: "Take “portrait-v2.safetensors” instead" }));
    expect(told).toEqual(["portrait-v2.safetensors"]);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("tells what is wrong with one that cannot be used", () => {
    const broken = { ...model, name: "a.ckpt", fault: "It is cut off." };
    useEditor.setState({ modelsReading: "read", models: [broken] });
    shown({ type: "string", files: "vae" }, "a.ckpt");
    expect(screen.getByRole("alert").textContent).toContain("It is cut off.");
  });
});

describe("a picture", () => {
  it("is sent when it is dropped, and its name is the value", async () => {
    const sendPicture = vi.fn(() => Promise.resolve("cat.png"));
    useEditor.setState({ sendPicture, uploadsReading: "read", uploads: [] });
    const told = shown({ type: "string", files: "images" }, "");
    const file = new File(["x"], "cat.png", { type: "image/png" });
    const dataTransfer = { files: [file], types: ["Files"], getData: () => "" };
    fireEvent.drop(screen.getByText(/Drop a picture/), { dataTransfer });
    await vi.waitFor(() => expect(told).toEqual(["cat.png"]));
    expect(sendPicture).toHaveBeenCalledOnce();
  });
});

describe("lists, kinds and tables", () => {
  it("adds, moves and removes items", () => {
    const told = shown({ type: "array", items: { type: "string" } }, ["a", "b"]);
    fireEvent.click(screen.getByRole("button", { name: `Move up, ${label} 2` }));
    fireEvent.click(screen.getByRole("button", { name: `Add, ${label}` }));
    fireEvent.click(screen.getByRole("button", { name: `Remove, ${label} 1` }));
    expect(told).toEqual([
      ["b", "a"],
      ["b", "a", "a"],
      ["a", "a"],
    ]);
  });

  it("does not go below the least number of items", () => {
    shown({ type: "array", minItems: 1, items: { type: "string" } }, ["a"]);
    const remove = screen.getByRole<HTMLButtonElement>("button", { name: `Remove, ${label} 1` });
    expect(remove.disabled).toBe(true);
  });

  it("keeps values of the same name when another kind is chosen", () => {
    const size = { type: "integer", default: 512, title: "Width" };
    const kind = (name: string) => ({
      type: "object",
      title: name,
      properties: { kind: { const: name.toLowerCase() }, width: size },
    });
    const definitions = { Fit: kind("Fit"), Fill: kind("Fill") };
    const told = shown(
      {
        discriminator: { propertyName: "kind" },
        oneOf: [{ $ref: "#/$defs/Fit" }, { $ref: "#/$defs/Fill" }],
      },
      { kind: "fit", width: 640 },
      definitions,
    );
    fireEvent.click(screen.getByRole("combobox", { name: `${label}: Kind` }));
    fireEvent.click(screen.getByRole("option", { name: "Fill" }));
    expect(told).toEqual([{ kind: "fill", width: 640 }]);
    fireEvent.keyDown(screen.getByRole("spinbutton", { name: `${label}: Width` }), {
      key: "ArrowUp",
    });
    expect(told.at(-1)).toEqual({ kind: "fill", width: 641 });
  });

  it("takes entries under names of one's own", () => {
    const told = shown({ type: "object", additionalProperties: { type: "string" } }, { a: "x" });
    const name = screen.getByRole("textbox", { name: `${label}: New name` });
    fireEvent.change(name, { target: { value: "a" } });
    expect(name.getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(name, { target: { value: "b" } });
    fireEvent.submit(name);
    expect(told).toEqual([{ a: "x", b: "" }]);
  });

  it("says why a text is no JSON, and keeps the value", () => {
    const told = shown({}, [1]);
    fireEvent.change(text(), { target: { value: "[1," } });
    expect(screen.getByRole("alert").textContent).toMatch(/no JSON.*line 1, column 4/);
    expect(told).toEqual([]);
  });
});

describe("links, sweeps and what is not given", () => {
  it("shows where a linked value comes from", () => {
    shown({ type: "integer" }, { $link: [nodeId("seeds"), "value"] });
    expect(screen.getByRole("button", { name: `${label} from seeds, value` })).toBeTruthy();
  });

  it("edits the values of a sweep one by one, and tells how many there are", () => {
    const told = shown({ type: "integer" }, { $axis: [10, 20] });
    const group = screen.getByRole("group", { name: new RegExp(`^${label}: Sweep`) });
    expect(within(group).getByText("2 values")).toBeTruthy();
    fireEvent.keyDown(screen.getByRole("spinbutton", { name: `${label} 2` }), { key: "ArrowUp" });
    expect(told).toEqual([{ $axis: [10, 21] }]);
  });

  it("makes a range of a list, and says if it has no values", () => {
    const told = shown({ type: "integer" }, { $axis: [5, 6] });
    fireEvent.click(screen.getByRole("radio", { name: "Range" }));
    expect(told).toEqual([{ $axis: { $range: { from: 5, to: 8, step: 1 } } }]);
    const step = screen.getByRole("spinbutton", { name: `${label}: Step` });
    fireEvent.change(step, { target: { value: "-1" } });
    expect(screen.getByRole("alert").textContent).toContain("has no values");
  });

  it("gives a value where there may be none", () => {
    const told = shown({ anyOf: [{ type: "string" }, { type: "null" }], default: null });
    fireEvent.click(screen.getByRole("button", { name: `Give a value, ${label}` }));
    expect(told).toEqual([""]);
  });
});
