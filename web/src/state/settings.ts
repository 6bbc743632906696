import type { Slice } from "./store";

export interface SettingsSlice {
  readonly density: "comfortable" | "compact";
  /** Keys that were chosen for a command instead of its own, by the command's id. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

export const settingsSlice: Slice<SettingsSlice> = () => ({ density: "comfortable", keys: {} });
