/** What a button is for, with the keys that do the same as they are now. */

import { keysFor, shortcutOf } from "../shortcuts";
import { useEditor } from "../state/store";

export function useHint(text: string, command: string): string {
  const [keys] = useEditor((state) => {
    const shortcut = shortcutOf(command);
    return shortcut === undefined ? none : keysFor(shortcut, state.keys);
  });
  return keys === undefined ? text : `${text} (${keys})`;
}

const none: readonly string[] = [];
