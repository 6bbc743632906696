import type { Item } from "./flow";

/** What lies in a frame with its middle: it goes where the frame goes. */
export function membersOf(frame: Item, items: readonly Item[]): readonly Item[] {
  const { x, y } = frame.position;
  const { width = 0, height = 0 } = frame;
  return items.filter((item) => {
    if (item.id === frame.id || item.draggable === false) return false;
    const across = item.position.x + (item.width ?? 0) / 2 - x;
    const down = item.position.y + (item.height ?? 0) / 2 - y;
    const isInside = across > 0 && across < width && down > 0 && down < height;
    // Of two frames of which each holds the other's middle, the larger one leads.
    return isInside && (item.type !== "frame" || (item.width ?? 0) < width);
  });
}
