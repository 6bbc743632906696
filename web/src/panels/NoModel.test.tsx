// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import type { FormInput } from "../state/form";
import { useEditor } from "../state/store";
import { NoModel } from "./NoModel";

afterEach(cleanup);

const needed = [{ field: { kind: "file", files: "checkpoints" } }] as unknown as FormInput[];

it("names the whole folder, and says of a file that is dropped where it goes", () => {
  useEditor.setState({ models: [], modelsReading: "read", modelsFolder: "C:\\Darkroom\\models" });
  render(<NoModel needed={needed} />);
  expect(screen.getByText("C:\\Darkroom\\models\\checkpoints")).toBeDefined();
  const files = [new File(["x"], "sd15.safetensors")];
  fireEvent.drop(screen.getByRole("region"), { dataTransfer: { files, types: ["Files"] } });
  expect(screen.getByRole("alert").textContent).toMatch(
    /sd15\.safetensors is a model file.*C:\\Darkroom\\models\\checkpoints/,
  );
});

it("names the folder within the data folder to whom the whole is not told", () => {
  useEditor.setState({ models: [], modelsReading: "read", modelsFolder: null });
  render(<NoModel needed={needed} />);
  expect(screen.getByText("models/checkpoints")).toBeDefined();
});
