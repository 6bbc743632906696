// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";

import { useEditor } from "../state/store";
import { Rail } from "./Rail";

afterEach(cleanup);

it("shows the name, and the keys as they are after somebody chose others", () => {
  render(<Rail />);
  expect(screen.getByText("Darkroom")).toBeDefined();
  const models = screen.getByRole("button", { name: "Models" });
  expect(models.title).toBe("Models (M)");
  act(() => useEditor.getState().changeSettings({ keys: { "view.models": ["Alt+9"] } }));
  expect(models.title).toBe("Models (Alt+9)");
  act(() => useEditor.getState().changeSettings({ keys: { "view.models": [] } }));
  expect(models.title).toBe("Models");
});
