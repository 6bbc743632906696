// @vitest-environment jsdom
import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";

import { nodeId } from "../graph/ids";
import { readType } from "../graph/types";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { workflow } from "../../tests/state/fake";
import { NodeOutputs } from "./NodeOutputs";

const outputs = () => activeWorkflow(useEditor.getState()).outputs;

beforeEach(() => {
  useEditor.setState(useEditor.getInitialState(), true);
  useEditor.getState().openWorkflow(workflow({ add: {} }));
  render(
    <NodeOutputs
      id={nodeId("add")}
      title="Add"
      outputs={[{ name: "value", type: readType("float") }]}
    />,
  );
});

it("gives an output under a name, renames it and takes it back", () => {
  fireEvent.click(screen.getByRole("button", { name: /Give it as an output/ }));
  expect(outputs()).toEqual({ value: { node: "add", output: "value" } });
  const box = screen.getByRole("textbox", { name: "Name of the output Add, value" });
  fireEvent.change(box, { target: { value: "sum" } });
  fireEvent.keyDown(box, { key: "Enter" });
  expect(Object.keys(outputs())).toEqual(["sum"]);
  fireEvent.click(screen.getByRole("button", { name: /Give it no longer/ }));
  expect(outputs()).toEqual({});
});
