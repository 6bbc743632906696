// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { catalogue } from "../../tests/graph";
import { useEditor } from "../state/store";
import { activeGraph } from "../state/tabs";
import { NodeLibrary } from "./NodeLibrary";

afterEach(cleanup);

it("adds a node by one plain press, as a tap or a screen reader gives it", () => {
  useEditor.setState({ catalogue });
  const [type] = catalogue.types.values();
  if (type === undefined) throw new Error("There are no types.");
  render(<NodeLibrary />);
  const [row] = screen.getAllByText(type.name, { selector: ".library-row > span" });
  fireEvent.click(row?.closest("button") ?? document.body);
  expect(Object.values(activeGraph(useEditor.getState()).nodes).map((each) => each.type)).toEqual([
    type.name,
  ]);
});
