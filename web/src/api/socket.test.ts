import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { EventSocket, unpack, type Connection, type ServerEvent, type Wire } from "./socket";

class FakeWire implements Wire {
  binaryType: BinaryType = "blob";
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readyState = 0;
  readonly sent: string[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.({} as Event);
  }

  say(data: unknown): void {
    this.onmessage?.({ data } as MessageEvent<unknown>);
  }

  lose(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code } as CloseEvent);
  }

  get asked(): URLSearchParams {
    return new URL(this.url).searchParams;
  }
}

function event(id: number): string {
  return JSON.stringify({ id, type: "queue.paused", job: null, time: 1, data: {} });
}

function started(options: { after?: number; previews?: boolean } = {}) {
  const wires: FakeWire[] = [];
  const events: ServerEvent[] = [];
  const states: [Connection, number][] = [];
  const socket = new EventSocket(
    {
      onEvent: (one) => events.push(one),
      onConnection: (state, attempt) => states.push([state, attempt]),
    },
    {
      ...options,
      root: "ws://server",
      chance: () => 1,
      open: (url) => {
        const wire = new FakeWire(url);
        wires.push(wire);
        return wire;
      },
    },
  );
  socket.start();
  const wire = (): FakeWire => {
    const last = wires.at(-1);
    if (last === undefined) throw new Error("nothing was opened");
    return last;
  };
  return { socket, wires, wire, events, states };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a lost connection is made again from the last event that was seen", () => {
  const { wires, wire, events, states } = started();
  wire().open();
  wire().say(event(41));
  wire().say(event(42));
  wire().lose(1006);
  vi.advanceTimersByTime(499);
  expect(wires).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(wires).toHaveLength(2);
  expect(wire().asked.get("after")).toBe("42");
  wire().open();
  wire().say(event(43));
  expect(events.map((one) => one.id)).toEqual([41, 42, 43]);
  expect(states.at(-1)).toEqual(["open", 1]);
});

test("the pauses between attempts grow up to a bound", () => {
  const { wires, wire } = started();
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const before = wires.length;
    wire().lose(1006);
    let waited = 0;
    while (wires.length === before) {
      vi.advanceTimersByTime(100);
      waited += 100;
    }
    pauses.push(waited);
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

test("one that was too slow comes again at once", () => {
  const { wires, wire } = started({ after: 7 });
  expect(wire().asked.get("after")).toBe("7");
  wire().open();
  wire().say(event(9));
  wire().lose(4008);
  vi.advanceTimersByTime(0);
  expect(wires).toHaveLength(2);
  expect(wire().asked.get("after")).toBe("9");
});

test("an attempt that hangs is given up", () => {
  const { wires, states } = started();
  vi.advanceTimersByTime(10_000);
  expect(wires[0]?.closed).toBe(true);
  expect(states.at(-1)).toEqual(["lost", 1]);
  vi.advanceTimersByTime(500);
  expect(wires).toHaveLength(2);
});

test("a page that is shown again does not wait for the pause", () => {
  const { socket, wires, wire } = started();
  for (let attempt = 0; attempt < 6; attempt++) {
    wire().lose(1006);
    vi.advanceTimersByTime(15_000);
  }
  wire().lose(1006);
  const before = wires.length;
  socket.hasten();
  expect(wires).toHaveLength(before + 1);
  vi.advanceTimersByTime(9_000);
  expect(wires).toHaveLength(before + 1);
});

test("nothing is tried again after a stop, and a start goes on where it was", () => {
  const { socket, wires, wire, states } = started();
  wire().open();
  wire().say(event(5));
  socket.stop();
  expect(wire().closed).toBe(true);
  expect(states.at(-1)).toEqual(["closed", 0]);
  vi.advanceTimersByTime(60_000);
  expect(wires).toHaveLength(1);
  socket.start();
  expect(wire().asked.get("after")).toBe("5");
});

test("previews are asked for on the way, and again with the next connection", () => {
  const { socket, wire } = started();
  socket.wantPreviews(true);
  expect(wire().sent).toEqual([]);
  wire().open();
  expect(wire().sent).toEqual(['{"previews":true}']);
  wire().lose(1006);
  vi.advanceTimersByTime(500);
  expect(wire().asked.get("previews")).toBe("true");
  wire().open();
  socket.wantPreviews(false);
  expect(wire().sent).toEqual(['{"previews":false}']);
});

test("a preview is a picture with the progress that it shows", async () => {
  const json = new TextEncoder().encode(event(3));
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff]);
  const whole = new Uint8Array(4 + json.length + jpeg.length);
  new DataView(whole.buffer).setUint32(0, json.length);
  whole.set(json, 4);
  whole.set(jpeg, 4 + json.length);
  const preview = unpack(whole.buffer);
  expect(preview?.event.id).toBe(3);
  expect(preview?.picture.type).toBe("image/jpeg");
  expect(new Uint8Array((await preview?.picture.arrayBuffer()) ?? [])).toEqual(jpeg);
});

test.each([new Uint8Array([0, 0]), new Uint8Array([0, 0, 1, 0, 1]), new Uint8Array(8)])(
  "a broken preview is left out",
  (bytes) => {
    expect(unpack(bytes.buffer)).toBeNull();
  },
);

test("what is no event is left out", () => {
  const { wire, events, socket } = started();
  wire().open();
  wire().say("not JSON");
  wire().say('{"type": "job.queued"}');
  wire().say(event(1));
  expect(events).toHaveLength(1);
  expect(socket.last).toBe(1);
});
