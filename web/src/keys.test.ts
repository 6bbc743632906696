import { expect, test } from "vitest";

import { keysOf } from "./keys";

const press = (key: string, code: string, held: object = {}) =>
  keysOf({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

test("keys have the name of the sign that a Latin layout gives", () => {
  expect(press("z", "KeyW", { ctrlKey: true })).toBe("Ctrl+Z");
  expect(press("?", "Slash", { shiftKey: true })).toBe("?");
  expect(press("S", "KeyS", { ctrlKey: true, shiftKey: true })).toBe("Ctrl+Shift+S");
  expect(press("ArrowUp", "ArrowUp", { altKey: true })).toBe("Alt+Up");
  expect(press("Control", "ControlLeft", { ctrlKey: true })).toBeNull();
});

test.each([
  ["я", "KeyZ", "Ctrl+Z"],
  ["Я", "KeyZ", "Ctrl+Z"],
  ["ы", "KeyS", "Ctrl+S"],
  ["б", "Comma", "Ctrl+,"],
  ["ζ", "KeyZ", "Ctrl+Z"],
  ["٣", "Digit3", "Ctrl+3"],
])("%s on a layout without Latin letters is the key %s", (key, code, keys) => {
  expect(press(key, code, { ctrlKey: true })).toBe(keys);
});

test("letters and signs alone are found by their place too", () => {
  expect(press("т", "KeyN")).toBe("N");
  expect(press("ю", "Period")).toBe(".");
  expect(press("Ш", "KeyI", { shiftKey: true })).toBe("Shift+I");
});
