/** Actions that ask the server: what goes wrong is said, not thrown. */

import type { EditorState } from "./store";

export const attempting =
  (get: () => EditorState) =>
  async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      get().report(error);
    }
  };
