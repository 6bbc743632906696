import { keyCaps } from "../keys";

const isMac = /Mac|iP(hone|ad)/.test(globalThis.navigator.userAgent);

/** Keys as caps. */
export function Keys({ keys }: { readonly keys: string }) {
  return (
    <span className="keys">
      {keyCaps(keys, isMac).map((cap) => (
        <kbd key={cap}>{cap}</kbd>
      ))}
    </span>
  );
}
