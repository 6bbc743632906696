/** What the user chose about the editor itself. It is remembered in the browser, apart from all documents. */

import type { Slice } from "./store";

export type Theme = "system" | "dark" | "light";
export type Density = "comfortable" | "compact";
export type Drawer = "nodes" | "workflows" | "models" | "gallery";
export type Side = "form" | "inspect";
export type WireShape = "curved" | "stepped" | "straight";

/** What a new window begins with. */
export type Start =
  | { readonly kind: "blank" }
  | { readonly kind: "last" }
  | { readonly kind: "workflow"; readonly name: string };

export interface Settings {
  readonly theme: Theme;
  readonly density: Density;
  /** How large everything is: 1 is the browser's own size. */
  readonly scale: number;
  /** Keys that were chosen for a command instead of its own, by the command's id. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  readonly drawer: Drawer | null;
  readonly drawerWidth: number;
  readonly side: Side;
  readonly sideOpen: boolean;
  readonly sideWidth: number;
  readonly stripOpen: boolean;
  readonly stripHeight: number;
  readonly minimap: boolean;
  readonly wires: WireShape;
  /** Wires are faint unless they are pointed at or belong to the selection. */
  readonly faintWires: boolean;
  readonly snap: boolean;
  readonly start: Start;
  /** The graph is dimmed behind the picture, until "Show how". */
  readonly dimmed: boolean;
}

export const standardSettings: Settings = {
  theme: "system",
  density: "comfortable",
  scale: 1,
  keys: {},
  drawer: null,
  drawerWidth: 280,
  side: "form",
  sideOpen: true,
  sideWidth: 320,
  stripOpen: true,
  stripHeight: 132,
  minimap: true,
  wires: "curved",
  faintWires: true,
  snap: true,
  start: { kind: "last" },
  dimmed: true,
};

/** The least and the most that a measure may be. */
export const bounds = {
  scale: [0.75, 2],
  drawerWidth: [200, 560],
  sideWidth: [260, 640],
  stripHeight: [96, 320],
} as const;

export interface SettingsSlice extends Settings {
  readonly settingsOpen: boolean;
  readonly openSettings: (open: boolean) => void;
  readonly changeSettings: (part: Partial<Settings>) => void;
  /** Open a drawer, or close it if it is open. */
  readonly toggleDrawer: (drawer: Drawer) => void;
  readonly showSide: (side: Side) => void;
}

const place = "darkroom.settings";

const within = ([least, most]: readonly [number, number], value: number) =>
  Math.min(most, Math.max(least, value));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const oneOf = <Choice>(choices: readonly Choice[], value: unknown, otherwise: Choice): Choice =>
  choices.find((choice) => choice === value) ?? otherwise;

function keysIn(value: unknown): Settings["keys"] {
  if (!isRecord(value)) return {};
  const keys: Record<string, readonly string[]> = {};
  for (const [command, chosen] of Object.entries(value))
    if (Array.isArray(chosen))
      keys[command] = chosen.filter((key): key is string => typeof key === "string");
  return keys;
}

function startIn(value: unknown): Start {
  if (!isRecord(value)) return standardSettings.start;
  if (value["kind"] === "workflow" && typeof value["name"] === "string")
    return { kind: "workflow", name: value["name"] };
  return value["kind"] === "blank" ? { kind: "blank" } : { kind: "last" };
}

/** Settings as they were remembered; what is missing or cannot be used is as it is at first. */
export function settingsFrom(json: unknown): Settings {
  if (!isRecord(json)) return standardSettings;
  const standard = standardSettings;
  const measure = (name: keyof typeof bounds) => {
    const value = json[name];
    return typeof value === "number" && Number.isFinite(value)
      ? within(bounds[name], value)
      : standard[name];
  };
  const flag = (name: keyof Settings, otherwise: boolean) => {
    const value = json[name];
    return typeof value === "boolean" ? value : otherwise;
  };
  return {
    theme: oneOf(["system", "dark", "light"], json["theme"], standard.theme),
    density: oneOf(["comfortable", "compact"], json["density"], standard.density),
    scale: measure("scale"),
    keys: keysIn(json["keys"]),
    drawer: oneOf(["nodes", "workflows", "models", "gallery", null], json["drawer"], null),
    drawerWidth: measure("drawerWidth"),
    side: oneOf(["form", "inspect"], json["side"], standard.side),
    sideOpen: flag("sideOpen", standard.sideOpen),
    sideWidth: measure("sideWidth"),
    stripOpen: flag("stripOpen", standard.stripOpen),
    stripHeight: measure("stripHeight"),
    minimap: flag("minimap", standard.minimap),
    wires: oneOf(["curved", "stepped", "straight"], json["wires"], standard.wires),
    faintWires: flag("faintWires", standard.faintWires),
    snap: flag("snap", standard.snap),
    start: startIn(json["start"]),
    dimmed: flag("dimmed", standard.dimmed),
  };
}

/** Only what is remembered, out of the whole state. */
export function settingsOf(state: Settings): Settings {
  return settingsFrom(state);
}

function remembered(): Settings {
  try {
    const text = globalThis.localStorage.getItem(place);
    return text === null ? standardSettings : settingsFrom(JSON.parse(text));
  } catch {
    // Without storage, or with a broken entry, the editor starts as new.
    return standardSettings;
  }
}

function remember(settings: Settings): void {
  try {
    globalThis.localStorage.setItem(place, JSON.stringify(settings));
  } catch {
    // A full or forbidden storage must not keep anybody from working.
  }
}

export const settingsSlice: Slice<SettingsSlice> = (set, get) => ({
  ...remembered(),
  settingsOpen: false,
  openSettings: (open) => set({ settingsOpen: open }),
  changeSettings: (part) => {
    const next = settingsFrom({ ...settingsOf(get()), ...part });
    set(next);
    remember(next);
  },
  toggleDrawer: (drawer) =>
    get().changeSettings({ drawer: get().drawer === drawer ? null : drawer }),
  showSide: (side) => get().changeSettings({ side, sideOpen: true }),
});
