import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { create } from "zustand";
import { catalogueSliceIn } from "./catalogue";
import { useEditor, type EditorState } from "./store";

const nodes = readFileSync(new URL("../../tests/catalogue.fixture.json", import.meta.url), "utf8");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begun(answers: (string | null)[]) {
  const read = vi.fn(() => {
    const answer = answers.shift() ?? null;
    return answer === null ? Promise.reject(new Error("away")) : Promise.resolve(answer);
  });
  const store = create<EditorState>()((...own) => ({
    ...useEditor.getInitialState(),
    ...catalogueSliceIn(read)(...own),
  }));
  return { read, state: () => store.getState() };
}

test("nodes that cannot be read at first are asked for again, less and less often", async () => {
  const { read, state } = begun([null, null, nodes]);
  await state().loadCatalogue();
  expect(state().catalogueState).toBe("failed");
  await vi.advanceTimersByTimeAsync(1000);
  expect(read).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(1500);
  expect(read).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(500);
  expect(state().catalogueState).toBe("ready");
  expect(state().catalogue.types.size).toBeGreaterThan(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(read).toHaveBeenCalledTimes(3);
});

test("nodes that were read stay when they cannot be read anew", async () => {
  const { state } = begun([nodes, null]);
  await state().loadCatalogue();
  await state().loadCatalogue();
  expect(state().catalogueState).toBe("ready");
  expect(state().catalogue.types.size).toBeGreaterThan(0);
});
