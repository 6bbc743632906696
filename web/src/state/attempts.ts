/** Actions that ask the server: what goes wrong is said, not thrown; the answer is whether it went well. */

import type { EditorState } from "./store";

export const attempting =
  (get: () => EditorState) =>
  async (action: () => Promise<void>): Promise<boolean> => {
    try {
      await action();
      return true;
    } catch (error) {
      get().report(error);
      return false;
    }
  };
