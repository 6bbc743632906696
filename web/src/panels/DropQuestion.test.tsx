// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";

import { catalogue } from "../../tests/graph";
import { emptyWorkflow } from "../graph/document";
import { pictureReader } from "../state/pictureInputs";
import { useEditor, type EditorState } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import { DropQuestion } from "./DropQuestion";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const file = new File(["x"], "cat.png");
const opening = { workflow: emptyWorkflow("Carried"), remarks: [] };
const bare = { file, opening: null, why: "cat.png carries no workflow." };
const asked = (...pictures: NonNullable<EditorState["dropped"]>["pictures"]) => {
  const dropped = { tab: editor().activeTab, pictures };
  useEditor.setState({ dropped });
  render(<DropQuestion dropped={dropped} />);
};
const button = (name: string) => screen.getByRole("button", { name });

beforeEach(() => useEditor.setState({ ...start, catalogue }, true));
afterEach(cleanup);

it("offers to open what a picture carries, or to add a node that reads it", () => {
  asked({ file, opening, why: "" });
  expect(button("Add a node that reads it")).toBeDefined();
  fireEvent.click(button("Open its workflow"));
  expect(activeWorkflow(editor()).name).toBe("Carried");
});

it("says why nothing opens, and names each input that could have the picture", () => {
  const reader = pictureReader(catalogue);
  if (reader === null) throw new Error("No type reads a picture.");
  for (const x of [0, 400]) editor().addNode(reader.type.name, { x, y: 0 });
  asked(bare);
  expect(screen.getByRole("dialog").textContent).toContain("cat.png carries no workflow.");
  expect(screen.queryByRole("button", { name: "Open its workflow" })).toBeNull();
  expect(screen.getAllByRole("listitem")).toHaveLength(2);
});

it("asks once for several", () => {
  asked(bare, { file, opening, why: "" });
  expect(screen.getByRole("dialog").textContent).toContain("2 pictures were dropped. 1 carries");
  expect(button("Keep them as inputs")).toBeDefined();
  fireEvent.click(button("Cancel"));
  expect(editor().dropped).toBeNull();
});
