/** What commands are called in undo and redo. */

import { commands } from "../words/commands";

/** What a command is called in "Undone: …": from the table of words, else its name in plain letters. */
export function sayCommand(name: string): string {
  const code = `command.${name}`;
  const entry = Object.entries(commands).find(([each]) => each === code);
  return entry?.[1] ?? name.replaceAll("_", " ");
}
