import { useCallback, useRef } from "react";

/** A key for changes that belong together: the same until a new gesture is begun. */
export function useGesture(): { readonly begin: () => void; readonly current: () => string } {
  const key = useRef("");
  const begin = useCallback(() => {
    key.current = `${performance.now()}`;
  }, []);
  const current = useCallback(() => {
    if (key.current === "") begin();
    return key.current;
  }, [begin]);
  return { begin, current };
}
