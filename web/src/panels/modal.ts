/** What asks or lists over the page: the focus stays in it, and nothing behind it hears a key. */

import { useEffect, useLayoutEffect, type KeyboardEvent, type RefObject } from "react";

import { useEditor } from "../state/store";

const MODAL = "[aria-modal='true'], dialog[open]";
const TABBABLE = "button, input, textarea, select, a[href], [tabindex]";

/** Whether keys are for something that lies over the page. */
export const isModalOpen = (): boolean => document.querySelector(MODAL) !== null;

interface Modal {
  readonly onClose: () => void;
  /** What belongs to it, so that a press there does not close it; by default the box itself. */
  readonly around?: (box: HTMLElement) => HTMLElement | null;
}

/**
 * Takes the focus to what is marked by `data-first`, or else to the first control; gives it back
 * where it was. Escape and a press elsewhere close it. Returns the box's `onKeyDown`.
 */
export function useModal(
  box: RefObject<HTMLElement | null>,
  { onClose, around = itself }: Modal,
): (event: KeyboardEvent) => void {
  useFocusReturn(box);
  useLayoutEffect(() => enter(box.current), [box]);
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const own = box.current;
      // The focus may have got lost to the page, such as by a press on a text.
      if (own === null || event.defaultPrevented || !isUppermost(own)) return;
      if (event.target instanceof Node && own.contains(event.target)) return;
      if (event.key === "Escape") onClose();
      else if (event.key === "Tab") {
        event.preventDefault();
        enter(own);
      }
    };
    const onPress = ({ target }: PointerEvent) => {
      const own = box.current && around(box.current);
      if (target instanceof Node && own?.contains(target) === false) onClose();
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener("pointerdown", onPress);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("pointerdown", onPress);
    };
  }, [box, onClose, around]);
  return (event) => {
    // The keys of commands go on to where it is seen that they mean nothing now.
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    if (event.defaultPrevented) return;
    if (event.key === "Escape") onClose();
    else if (event.key === "Tab" && box.current !== null) turn(event, box.current);
  };
}

/** Gives the focus back to where it was, once the box is gone that took it. */
export function useFocusReturn(box: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const own = box.current;
    const before = document.activeElement;
    return () => {
      const now = document.activeElement;
      // What was closed to go elsewhere has given the focus away already.
      if (now !== null && now !== document.body && own?.contains(now) !== true) return;
      const isThing = before instanceof HTMLElement || before instanceof SVGElement;
      const isThere = isThing && before !== document.body;
      if (isThere && before.isConnected) before.focus({ preventScroll: true });
      if (!isThere || document.activeElement !== before) useEditor.getState().view?.focusCanvas();
    };
  }, [box]);
}

const itself = (box: HTMLElement): HTMLElement => box;

const isUppermost = (box: HTMLElement): boolean =>
  [...document.querySelectorAll(MODAL)].at(-1) === box;

function enter(box: HTMLElement | null): void {
  if (box === null) return;
  (box.querySelector<HTMLElement>("[data-first]") ?? tabbables(box)[0] ?? box).focus();
}

/** At the ends of the box, Tab turns to the other end. */
function turn(event: KeyboardEvent, box: HTMLElement): void {
  const now = document.activeElement;
  if (!(now instanceof HTMLElement) || !box.contains(now)) return;
  const all = tabbables(box);
  const at = all.indexOf(now);
  const isAtEnd = event.shiftKey ? at <= 0 : at === -1 || at === all.length - 1;
  if (!isAtEnd) return;
  event.preventDefault();
  all.at(event.shiftKey ? -1 : 0)?.focus();
}

const tabbables = (box: HTMLElement): HTMLElement[] =>
  [...box.querySelectorAll<HTMLElement>(TABBABLE)].filter(
    (each) => each.tabIndex >= 0 && !each.matches(":disabled"),
  );
