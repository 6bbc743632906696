/** Lights the nodes of a graph up in the order in which they ran. */

const STEP = 220;

export function lightUp(graph: HTMLElement | null, order: readonly string[]): void {
  if (graph === null || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const nodes = [...graph.querySelectorAll<HTMLElement>("[data-node-id]")];
  const glow = "0 0 0 2px var(--accent), 0 0 2rem var(--accent)";
  for (const [index, address] of order.entries()) {
    const node = nodes.find((each) => each.dataset["nodeId"] === address);
    node?.animate([{ boxShadow: glow, offset: 0.3 }, { boxShadow: "0 0 0 0 transparent" }], {
      delay: 150 + index * STEP,
      duration: 900,
      easing: "ease-out",
    });
  }
}
