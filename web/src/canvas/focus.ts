/** Gives the focus to things on the canvas, which may have to be drawn first. */

import type { PortRef } from "../state/canvas";

/** How many frames are waited for a thing. */
const TRIES = 20;

type Root = HTMLElement | null;

export const itemIn = (root: Root, id: string): Element | null =>
  root?.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`) ?? null;

/** A wire can have the focus only while it is selected. */
export const wireIn = (root: Root, id: string): Element | null =>
  root?.querySelector(`.react-flow__edge[data-id="${CSS.escape(id)}"][tabindex]`) ?? null;

export function portIn(root: Root, { node, side, name }: PortRef): Element | null {
  const port = CSS.escape(`${side}:${name}`);
  return root?.querySelector(`[data-node-id="${CSS.escape(node)}"] [data-port="${port}"]`) ?? null;
}

export function focusOn(find: () => Element | null, tries = TRIES): void {
  const element = find();
  if (element instanceof HTMLElement || element instanceof SVGElement)
    element.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusOn(find, tries - 1));
}

/** What has the focus on the canvas; null if that is elsewhere, or in a field. */
export function focusedIn(root: Root): Element | null {
  const own = document.activeElement;
  const isField = own?.matches("input, textarea, select, [contenteditable]") ?? true;
  return own === null || isField || root?.contains(own) !== true ? null : own;
}
