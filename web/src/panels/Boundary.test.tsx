// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { renameWorkflow } from "../graph/commands/form";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { Boundary } from "./Boundary";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();

/** Stands for a part of the page that cannot draw one workflow. */
function Drawn() {
  const { name } = useEditor(activeWorkflow);
  if (name === "bad") throw new Error("no such shape");
  return <p>{name}</p>;
}

beforeEach(() => {
  useEditor.setState(start, true);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  editor().perform(renameWorkflow([], "bad"));
  render(
    <Boundary>
      <Drawn />
    </Boundary>,
  );
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

test("what cannot be drawn is said, and can be closed", () => {
  expect(screen.getByRole("alert").textContent).toContain("no such shape");
  fireEvent.click(screen.getByRole("button", { name: "Close this workflow" }));
  expect(screen.getByText("Untitled")).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("another tab is shown as ever", async () => {
  editor().newTab();
  expect(await screen.findByText("Untitled")).toBeDefined();
});
