// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { catalogue } from "../../tests/graph";
import { printWorkflow, readWorkflow } from "../graph/read";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { ModelsPanel } from "./ModelsPanel";

afterEach(cleanup);

it("finds missing models in subgraphs too, and replaces all in one step of undo", () => {
  const type = [...catalogue.types.values()].find(({ inputs }) =>
    inputs.some(({ kind }) => kind === "file"),
  );
  const field = type?.inputs.find(({ kind }) => kind === "file");
  if (type === undefined || field?.kind !== "file") throw new Error("No type takes a file.");
  const loader = (name: string) => ({
    type: type.name,
    version: type.version,
    inputs: { [field.name]: name },
  });
  const inner = { nodes: { deep: loader("portait.safetensors") }, inputs: {}, outputs: {} };
  const text = JSON.stringify({
    darkroom: 1,
    name: "Two",
    nodes: {
      load: loader("landscap.safetensors"),
      box: { type: "Subgraph", version: 1, graph: "in", inputs: {} },
    },
    subgraphs: { in: inner },
  });
  const file = { kind: field.files, bytes: 1, title: "", family: "", fault: "" };
  useEditor.setState({
    catalogue,
    modelsReading: "read",
    models: ["portrait.safetensors", "landscape.safetensors"].map((name) => ({
      ...file,
      name,
      path: name,
    })),
  });
  const editor = () => useEditor.getState();
  editor().openWorkflow(readWorkflow(text));
  const before = printWorkflow(activeWorkflow(editor()));
  render(<ModelsPanel />);
  expect(screen.getByText("portait.safetensors")).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Take all of these instead" }));
  const after = printWorkflow(activeWorkflow(editor()));
  expect(after).toContain('"portrait.safetensors"');
  expect(after).toContain('"landscape.safetensors"');
  editor().undo();
  expect(printWorkflow(activeWorkflow(editor()))).toBe(before);
});
