import { expect, test } from "vitest";

import { Turns } from "./turns";

function scene() {
  let next: (() => void) | null = null;
  const turns = new Turns((then) => (next = then));
  const frame = () => {
    const then = next;
    next = null;
    then?.();
  };
  return { turns, frame };
}

test("a small graph is drawn at once, a large one in portions", () => {
  const { turns, frame } = scene();
  const drawn: number[] = [];
  for (let node = 0; node < 20; node++) {
    if (turns.take()) drawn.push(node);
    else turns.wait(() => drawn.push(node));
  }
  expect(drawn).toHaveLength(12);
  frame();
  expect(drawn).toHaveLength(15);
  frame();
  frame();
  expect(drawn).toEqual([...Array(20).keys()]);
});

test("while the view moves there is less in a frame", () => {
  const { turns, frame } = scene();
  turns.setMoving(true);
  const at = [turns.take(), turns.take()];
  expect(at).toEqual([true, false]);
  const drawn: number[] = [];
  turns.wait(() => drawn.push(1));
  turns.wait(() => drawn.push(2));
  frame();
  expect(drawn).toEqual([1]);
});

test("what goes away before its turn is not drawn", () => {
  const { turns, frame } = scene();
  let drawn = 0;
  turns.wait(() => (drawn += 1))();
  frame();
  expect(drawn).toBe(0);
});
