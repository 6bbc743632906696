// @vitest-environment jsdom
import { expect, test, vi } from "vitest";

import type { Item } from "./flow";
import { panToHead } from "./sight";

const root = document.createElement("div");
root.getBoundingClientRect = () => new DOMRect(0, 0, 1000, 600);

/** Where the view goes for a node at a place, at a zoom. */
function panned(x: number, y: number, zoom: number) {
  const setCenter = vi.fn(() => Promise.resolve(true));
  const flowToScreenPosition = (at: { x: number; y: number }) => ({
    x: at.x * zoom,
    y: at.y * zoom,
  });
  const item = { id: "n", position: { x, y }, width: 240, height: 300 } as unknown as Item;
  panToHead(root, { flowToScreenPosition, getZoom: () => zoom, setCenter }, item);
  return setCenter;
}

test.each([
  ["in the middle", 300, 100, 1],
  ["at the lower edge", 300, 500, 1],
  ["that is far away", 1500, 900, 0.4],
])("the view stays for a node %s whose head is seen", (_, x, y, zoom) => {
  expect(panned(x, y, zoom)).not.toHaveBeenCalled();
});

test("the view goes to a node out of sight, and keeps its zoom", () => {
  expect(panned(2200, 100, 0.5)).toHaveBeenCalledWith(2320, 250, { zoom: 0.5 });
});
