import { useEffect, useState } from "react";

const FIRST = 100;
const MORE = 50;

/** The first of many, and in each frame some more, until all are there. */
export function useSome<T>(all: T[], isOn: boolean): T[] {
  const [count, setCount] = useState(FIRST);
  useEffect(() => (isOn ? () => setCount(FIRST) : undefined), [isOn]);
  const isShort = isOn && count < all.length;
  useEffect(() => {
    if (!isShort) return;
    const frame = requestAnimationFrame(() => setCount(count + MORE));
    return () => cancelAnimationFrame(frame);
  }, [isShort, count]);
  return isShort ? all.slice(0, count) : all;
}
