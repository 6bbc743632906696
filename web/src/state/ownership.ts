/** Which window of the browser owns which drafts, so that two windows never write the same ones. */

import { randomId } from "../graph/ids";

const KEY = "darkroom.window";

export interface Ownership {
  readonly owner: string;
  /** Whether drafts of another window may be taken over, since that window is gone. */
  readonly isOrphan: (owner: string) => Promise<boolean>;
}

/** Find out who this window is. A reload is the same window; a duplicate of a tab is a new one. */
export async function claim(): Promise<Ownership> {
  const known = remembered();
  const owner = known !== null && !(await isHeld(known)) ? known : randomId();
  remember(owner);
  hold(owner);
  return { owner, isOrphan: async (other) => other !== owner && !(await isHeld(other)) };
}

/** How long another window has to answer, where the browser has no locks: a page without TLS. */
const PATIENCE = 400;
const CHANNEL = "darkroom-windows";

const locks = (): LockManager | undefined => ("locks" in navigator ? navigator.locks : undefined);

async function isHeld(owner: string): Promise<boolean> {
  const manager = locks();
  if (manager === undefined) return answers(owner);
  const state = await manager.query();
  return state.held?.some((lock) => lock.name === lockName(owner)) ?? false;
}

/** Whether a window says that it is this one. */
function answers(owner: string): Promise<boolean> {
  if (typeof BroadcastChannel === "undefined") return Promise.resolve(false);
  const channel = new BroadcastChannel(CHANNEL);
  return new Promise((resolve) => {
    const end = (isHeld: boolean) => {
      clearTimeout(timer);
      channel.close();
      resolve(isHeld);
    };
    const timer = setTimeout(() => end(false), PATIENCE);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data === `here ${owner}`) end(true);
    };
    channel.postMessage(`who ${owner}`);
  });
}

function hold(owner: string): void {
  const manager = locks();
  // Held until the page is gone: the promise never settles.
  if (manager !== undefined)
    void manager.request(lockName(owner), () => new Promise<never>(() => undefined));
  else if (typeof BroadcastChannel !== "undefined") {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data === `who ${owner}`) channel.postMessage(`here ${owner}`);
    };
  }
}

const lockName = (owner: string) => `darkroom-window-${owner}`;

function remembered(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(owner: string): void {
  try {
    sessionStorage.setItem(KEY, owner);
  } catch {
    // Without the browser's storage the window is a new one after each reload.
  }
}
