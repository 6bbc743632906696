import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { claim } from "./ownership";

/** Windows of one browser that has no locks, as where a page came without TLS. */
class Channel {
  static readonly all = new Set<Channel>();
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;

  constructor() {
    Channel.all.add(this);
  }

  postMessage(data: unknown): void {
    for (const other of Channel.all)
      if (other !== this) queueMicrotask(() => other.onmessage?.({ data }));
  }

  close(): void {
    Channel.all.delete(this);
  }
}

function openWindow(memory = new Map<string, string>()) {
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => memory.get(key) ?? null,
    setItem: (key: string, value: string) => memory.set(key, value),
  });
  return memory;
}

beforeEach(() => {
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("BroadcastChannel", Channel);
  Channel.all.clear();
});
afterEach(() => void vi.unstubAllGlobals());

test("without locks too, the drafts of a window that lives are not taken over", async () => {
  openWindow();
  const first = await claim();
  openWindow();
  const second = await claim();
  expect(second.owner).not.toBe(first.owner);
  expect(await second.isOrphan(first.owner)).toBe(false);
  expect(await second.isOrphan("one that crashed")).toBe(true);
});

test("without locks too, a duplicate of a window is another one, and a reload the same", async () => {
  const memory = openWindow();
  const first = await claim();
  openWindow(new Map(memory));
  expect((await claim()).owner).not.toBe(first.owner);
  Channel.all.clear();
  openWindow(memory);
  expect((await claim()).owner).toBe(first.owner);
});
