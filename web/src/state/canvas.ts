import type { Slice } from "./store";

export interface CanvasSlice {
  /** What the live region says; a repeated text is said again. */
  readonly announcement: { readonly text: string; readonly count: number };
  readonly announce: (text: string) => void;
}

export const canvasSlice: Slice<CanvasSlice> = (set) => ({
  announcement: { text: "", count: 0 },
  announce: (text) =>
    set((state) => ({ announcement: { text, count: state.announcement.count + 1 } })),
});
