/** Keys as texts: "Ctrl+Shift+E", "?", "Alt+=". Ctrl stands for Command on a Mac. */

interface Pressed {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const named: Readonly<Record<string, string>> = {
  " ": "Space",
  ArrowUp: "Up",
  ArrowDown: "Down",
  ArrowLeft: "Left",
  ArrowRight: "Right",
  Escape: "Esc",
  ContextMenu: "Menu",
};

const modifiers = new Set(["Control", "Shift", "Alt", "Meta", "AltGraph", "Dead"]);

/** The text of what was pressed; null for a modifier alone. */
export function keysOf(event: Pressed): string | null {
  if (modifiers.has(event.key)) return null;
  const key = keyName(event);
  // A sign such as `?` already tells of the Shift that it takes.
  const shows = event.shiftKey && (key.length > 1 || /[A-Z0-9]/.test(key));
  const parts = [
    event.ctrlKey || event.metaKey ? "Ctrl" : "",
    event.altKey ? "Alt" : "",
    shows ? "Shift" : "",
    key,
  ];
  return parts.filter((part) => part !== "").join("+");
}

/** What the keys for signs give without and with Shift, where the layout gives no Latin ones. */
const signs: Readonly<Record<string, readonly [string, string]>> = {
  Backquote: ["`", "~"],
  Minus: ["-", "_"],
  Equal: ["=", "+"],
  BracketLeft: ["[", "{"],
  BracketRight: ["]", "}"],
  Backslash: ["\\", "|"],
  Semicolon: [";", ":"],
  Quote: ["'", '"'],
  Comma: [",", "<"],
  Period: [".", ">"],
  Slash: ["/", "?"],
};

const ASCII = /^[\x20-\x7e]+$/;

function keyName({ key, code, altKey, shiftKey }: Pressed): string {
  const isForeign = !ASCII.test(key);
  // Alt makes other signs of letters on some keyboards; the key itself is meant.
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter !== undefined && (altKey || isForeign || key.length !== 1)) return letter;
  if (isForeign) {
    const digit = /^Digit([0-9])$/.exec(code)?.[1];
    const sign = digit ?? signs[code]?.[shiftKey ? 1 : 0];
    if (sign !== undefined) return sign;
  }
  return named[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

const macSigns: Readonly<Record<string, string>> = { Ctrl: "⌘", Alt: "⌥", Shift: "⇧" };

/** The parts to show as key caps, with the signs of a Mac there. */
export function keyCaps(keys: string, mac: boolean): readonly string[] {
  const parts = keys === "+" ? ["+"] : keys.split(/\+(?=.)/);
  return mac ? parts.map((part) => macSigns[part] ?? part) : parts;
}
