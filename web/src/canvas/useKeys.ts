import { useEffect } from "react";

import { keysOf } from "../keys";
import { isModalOpen } from "../panels/modal";
import { isOpen, shortcutFor } from "../shortcuts";
import { useEditor } from "../state/store";
import { TextPast } from "./textPast";

const TEXT = "input, textarea, select, [contenteditable='true']";
/** Keys that a control takes for itself when it has the focus. */
const OF_CONTROLS = new Set(["Space", "Enter", "Up", "Down", "Left", "Right", "Tab", "Esc"]);

const OF_CLIPBOARD = new Set(["edit.copy", "edit.cut", "edit.paste", "edit.pasteWired"]);
/** Whether the paste that is coming shall keep the wires to nodes that were not copied. */
let isWired = false;

/** Runs commands by their keys, wherever the focus is. */
export function useKeys(): void {
  useEffect(() => {
    const past = new TextPast();
    const onKey = (event: KeyboardEvent) => {
      if (!event.defaultPrevented) pressed(event, past);
    };
    window.addEventListener("keydown", onKey);
    const stop = past.listen();
    return () => {
      window.removeEventListener("keydown", onKey);
      stop();
    };
  }, []);
  useEffect(() => clipboardListeners(), []);
}

function pressed(event: KeyboardEvent, past: TextPast): void {
  const keys = keysOf(event);
  if (keys === null) return;
  const editor = useEditor.getState();
  const element = event.target instanceof Element ? event.target : null;
  const isText = element?.closest(TEXT) != null;
  if (isModalOpen()) {
    // The browser has keys of its own for some of them, such as saving the page.
    if (shortcutFor(keys, editor.keys)?.when === "always") event.preventDefault();
    return;
  }
  if (keys === "Esc" && (editor.overlay !== null || editor.stage !== null)) {
    if (editor.overlay !== null) editor.closeOverlay();
    else editor.show(null);
    return;
  }
  // Tab adds a node only where the hand is on the pointer; else it goes on to the next thing.
  const isAdding =
    keys === "Tab" && editor.view?.pointer() != null && element?.matches(".canvas, body") === true;
  const shortcut = shortcutFor(isAdding ? "Space" : keys, editor.keys);
  if (shortcut === undefined) return;
  if (isText && shortcut.when !== "always" && !past.lets(shortcut.id, element)) return;
  const isControl = element?.closest("button, a, [role='tab'], [role='option']") != null;
  if (isControl && OF_CONTROLS.has(keys)) return;
  // The browser's own copy and paste events come with the clipboard and need no leave.
  if (/^Ctrl\+([CXV]|Shift\+V)$/.test(keys) && OF_CLIPBOARD.has(shortcut.id)) {
    isWired = shortcut.id === "edit.pasteWired";
    return;
  }
  if (!isOpen(shortcut, editor)) return;
  event.preventDefault();
  // A key that is held down steps on, but asks the server for something only once.
  if (event.repeat && /^(run|file)\./.test(shortcut.id)) return;
  shortcut.run(editor);
}

function clipboardListeners(): () => void {
  const isOurs = (event: ClipboardEvent) =>
    !(event.target instanceof Element && event.target.closest(TEXT) !== null) &&
    !isModalOpen() &&
    useEditor.getState().stage === null &&
    (document.getSelection()?.isCollapsed ?? true);
  const copy = (event: ClipboardEvent) => {
    const editor = useEditor.getState();
    const text = isOurs(event) ? editor.selectionText() : null;
    if (text === null) return;
    event.preventDefault();
    event.clipboardData?.setData("text/plain", text);
    if (event.type === "cut") editor.cutSelection();
    else editor.copySelection();
  };
  const paste = (event: ClipboardEvent) => {
    if (!isOurs(event)) return;
    const editor = useEditor.getState();
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) {
      event.preventDefault();
      void editor.openDropped(files);
    } else if (editor.pasteText(event.clipboardData?.getData("text/plain") ?? "", isWired))
      event.preventDefault();
  };
  document.addEventListener("copy", copy);
  document.addEventListener("cut", copy);
  document.addEventListener("paste", paste);
  return () => {
    document.removeEventListener("copy", copy);
    document.removeEventListener("cut", copy);
    document.removeEventListener("paste", paste);
  };
}
