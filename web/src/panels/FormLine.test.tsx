// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { catalogue, shipped } from "../../tests/graph";
import { useEditor } from "../state/store";
import { formInputs } from "../state/form";
import { titleIn } from "../state/titles";
import { FormView } from "./FormView";

afterEach(cleanup);

it("names every field of the form after its node and its input", () => {
  const workflow = shipped("text-to-image");
  useEditor.setState({ catalogue });
  useEditor.getState().openWorkflow(workflow);
  render(<FormView />);
  const inputs = formInputs(workflow, [], catalogue);
  expect(inputs.length).toBeGreaterThan(2);
  for (const { title, port } of inputs)
    expect(screen.getByLabelText(`${titleIn(workflow, port.node)}, ${title}`)).toBeDefined();
});
