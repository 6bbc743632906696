import { useEditor } from "../state/store";

/**
 * Who has Ctrl+Z while a text is being typed: the field, until its own edits are used up, and then
 * the graph. Leaving a field ends the step that was typed there.
 */
export class TextPast {
  private field: EventTarget | null = null;
  private edits = 0;
  private undone = 0;

  listen(): () => void {
    const focus = (event: FocusEvent) => {
      this.field = event.target;
      this.edits = 0;
      this.undone = 0;
    };
    const blur = () => useEditor.getState().seal();
    const input = (event: Event) => {
      if (event.target !== this.field || !(event instanceof InputEvent)) return;
      if (event.inputType === "historyUndo") {
        this.edits -= 1;
        this.undone += 1;
      } else if (event.inputType === "historyRedo") {
        this.edits += 1;
        this.undone -= 1;
      } else {
        this.edits += 1;
        this.undone = 0;
      }
    };
    document.addEventListener("focusin", focus);
    document.addEventListener("focusout", blur);
    document.addEventListener("input", input, true);
    return () => {
      document.removeEventListener("focusin", focus);
      document.removeEventListener("focusout", blur);
      document.removeEventListener("input", input, true);
    };
  }

  /** Whether a command may run although a text has the focus. */
  lets(command: string, element: Element | null): boolean {
    if (element?.closest("[data-own-undo]") != null) return false;
    if (command === "edit.undo") return this.edits <= 0;
    return command === "edit.redo" && this.undone <= 0;
  }
}
