// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";

import { catalogue } from "../../tests/graph";
import { readWorkflow } from "../graph/read";
import { useEditor } from "../state/store";
import { Inspector } from "./Inspector";
import { ProblemList } from "./ProblemList";

const start = useEditor.getInitialState();
const type = [...catalogue.types.values()].find(({ inputs }) =>
  inputs.some(({ kind }) => kind === "integer"),
);
const field = type?.inputs.find(({ kind }) => kind === "integer");

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined;
  globalThis.CSS = { escape: (text: string) => text } as typeof CSS;
  if (type === undefined || field === undefined) throw new Error("No type takes a whole number.");
  const node = { type: type.name, version: type.version, inputs: { [field.name]: 1 } };
  const inner = { nodes: { deep: node }, inputs: {}, outputs: {} };
  const nodes = { other: node, box: { type: "Subgraph", version: 1, graph: "in", inputs: {} } };
  const text = JSON.stringify({ darkroom: 1, name: "Deep", nodes, subgraphs: { in: inner } });
  useEditor.setState({ ...start, catalogue, side: "form", sideOpen: false }, true);
  useEditor.getState().openWorkflow(readWorkflow(text));
  useEditor.setState({
    stage: { kind: "picture", url: "/x.png" },
    problems: [
      { code: "c", message: "Too few", node: "box/deep", input: field.name, source: "check" },
    ],
  });
});
afterEach(cleanup);

it("leads to the field of a node in a subgraph, and gives it the focus once", () => {
  const shown = render(
    <>
      <ProblemList />
      <Inspector />
    </>,
  );
  fireEvent.click(screen.getByRole("button", { expanded: false }));
  fireEvent.click(screen.getByRole("button", { name: /Too few/ }));
  const { selected, side, sideOpen, stage, shownInput } = useEditor.getState();
  expect([...selected]).toEqual(["deep"]);
  expect([side, sideOpen, stage, shownInput]).toEqual(["inspect", true, null, null]);
  expect(document.activeElement?.closest("[data-input]")?.getAttribute("data-input")).toBe(
    field?.name,
  );
  expect(document.activeElement?.getAttribute("role")).toBe("spinbutton");
  expect(shown.queryByRole("dialog")).toBeNull();
});
