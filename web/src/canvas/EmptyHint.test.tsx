// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { catalogue } from "../../tests/graph";
import { useEditor } from "../state/store";
import { EmptyHint } from "./EmptyHint";

afterEach(cleanup);

it("names the key that adds a node as it is now", () => {
  useEditor.setState({ catalogue });
  const { unmount } = render(<EmptyHint />);
  expect(screen.getByText("Double click to add a node (Space)")).toBeTruthy();
  unmount();
  useEditor.setState({ keys: { "graph.search": ["Q"] } });
  render(<EmptyHint />);
  expect(screen.getByText("Double click to add a node (Q)")).toBeTruthy();
});
