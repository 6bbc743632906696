// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Picker } from "./Picker";

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined;
});
afterEach(cleanup);

const press = (key: string, shiftKey = false) => {
  fireEvent.keyDown(document.activeElement ?? document.body, { key, shiftKey });
};

function opened(footer?: React.ReactNode) {
  render(
    <Picker
      label="Model"
      picks={[{ key: "a", title: "a" }]}
      chosen="a"
      onPick={() => undefined}
      footer={footer}
    />,
  );
  fireEvent.click(screen.getByRole("combobox"));
  expect(document.activeElement?.tagName).toBe("INPUT");
}

it("lets Tab go to what stands below the list, and from there back to the box", () => {
  const look = vi.fn();
  opened(
    <button type="button" onClick={look}>
      Look again
    </button>,
  );
  press("Tab");
  expect(document.activeElement?.textContent).toBe("Look again");
  press("Tab", true);
  expect(document.activeElement?.tagName).toBe("INPUT");
  press("Tab");
  press("Tab");
  expect(screen.queryByRole("listbox")).toBeNull();
  expect(document.activeElement).toBe(screen.getByRole("combobox"));
});

it("closes by Tab where nothing stands below, and by Escape anywhere", () => {
  opened();
  press("Tab");
  expect(screen.queryByRole("listbox")).toBeNull();
  cleanup();
  opened(<button type="button">Look again</button>);
  press("Tab");
  press("Escape");
  expect(screen.queryByRole("listbox")).toBeNull();
});
