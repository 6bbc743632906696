// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { emptyWorkflow, type Workflow } from "../graph/document";
import { nodeId, typeName } from "../graph/ids";
import { useEditor } from "../state/store";
import { PictureBox } from "./PictureBox";

const start = useEditor.getInitialState();
const editor = () => useEditor.getState();
const load = nodeId("load");
const document: Workflow = {
  ...emptyWorkflow("mine"),
  nodes: { load: { type: typeName("Toy"), version: 1, inputs: { image: "old.png" } } },
};
const imageIn = (tab: string) =>
  editor().tabs.find(({ id }) => id === tab)?.workflow.nodes["load"]?.inputs["image"];

let arrive: (name: string) => void = () => undefined;
const onChange = vi.fn();

beforeEach(() => {
  useEditor.setState(
    {
      ...start,
      uploadsReading: "read",
      sendPicture: () =>
        new Promise((resolve) => {
          arrive = resolve;
        }),
    },
    true,
  );
  onChange.mockClear();
});
afterEach(cleanup);

function paste(): void {
  const files = [new File(["picture"], "new.png", { type: "image/png" })];
  fireEvent.paste(screen.getAllByRole("button")[0] ?? window, { clipboardData: { files } });
}

const rest = async () => new Promise((resolve) => setTimeout(resolve));

test("a picture that is long in coming goes to the workflow that it was for", async () => {
  const tab = editor().openWorkflow(document);
  const place = { path: [], node: load, input: "image" };
  render(<PictureBox label="Load, Image" value="old.png" onChange={onChange} place={place} />);
  paste();
  const other = editor().openWorkflow(document);
  arrive("new.png");
  await rest();
  expect(imageIn(tab)).toBe("new.png");
  expect(imageIn(other)).toBe("old.png");
  expect(onChange).not.toHaveBeenCalled();
});

test("where it is not known what the field was for, that is said", async () => {
  editor().openWorkflow(document);
  render(<PictureBox label="Load, Image" value="old.png" onChange={onChange} />);
  paste();
  editor().newTab();
  arrive("new.png");
  await rest();
  expect(onChange).not.toHaveBeenCalled();
  expect(
    editor()
      .notices.map(({ text }) => text)
      .join(),
  ).toContain("new.png is sent");
});

test("a field that is still shown takes its picture", async () => {
  render(<PictureBox label="Picture" value="" onChange={onChange} />);
  paste();
  arrive("new.png");
  await rest();
  expect(onChange).toHaveBeenCalledWith("new.png");
});
