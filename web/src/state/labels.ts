import { canvas } from "../words/canvas";

/** What a command is called in "Undo …": from the table of words, else its name in plain letters. */
export function sayCommand(name: string): string {
  const code = `command.${name}`;
  const entry = Object.entries(canvas).find(([each]) => each === code);
  return entry?.[1] ?? name.replaceAll("_", " ");
}
