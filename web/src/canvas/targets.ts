import type { MenuTarget } from "../state/canvas";

/** What an element of the page stands for on the canvas. */
export function targetOf(element: Element | null): MenuTarget {
  const port = element?.closest("[data-port]");
  const item = element?.closest(".react-flow__node, .react-flow__edge");
  const id = item?.getAttribute("data-id");
  if (id == null) return { kind: "canvas" };
  const name = port?.getAttribute("data-port");
  return name == null ? { kind: "item", id } : { kind: "item", id, port: name };
}
