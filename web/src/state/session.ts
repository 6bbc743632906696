/** The tabs over reloads and crashes: every edit is kept in the browser, apart from files. */

import type { StoreApi } from "zustand";

import { isList, isObject, printJson, readJson, type Json } from "../graph/json";
import { graphName, nodeId } from "../graph/ids";
import { logFrom, logText } from "../graph/log";
import { workflowFrom } from "../graph/read";
import { say } from "../words";
import { Drafts, type Draft } from "./drafts";
import { claim, type Ownership } from "./ownership";
import type { EditorState } from "./store";
import { blankTab, isUntouched, type OpenFile, type Tab } from "./tabs";

const PAUSE = 400;

/** Bring back the tabs of this window, and keep them from now on. Whether there were any. */
export async function startSession(
  store: StoreApi<EditorState>,
  drafts = new Drafts(),
): Promise<boolean> {
  const owner = await claim();
  const found = await kept(drafts, owner);
  const tabs = found.flatMap((draft) => tabFrom(draft) ?? []);
  const active = remembered(found);
  if (tabs.length > 0) {
    const [first] = tabs;
    const shown = tabs.find((tab) => tab.id === active) ?? first;
    // What could not be shown the last time is there, but not the first thing that is tried again.
    const others = shown?.id === forgetBroken() ? [blankTab()] : [];
    store.setState({
      tabs: [...tabs, ...others],
      activeTab: (others[0] ?? shown)?.id ?? "",
      selected: new Set(),
    });
  }
  new Keeper(store, drafts, owner.owner).start(found);
  return tabs.length > 0;
}

async function kept(drafts: Drafts, owner: Ownership): Promise<readonly Draft[]> {
  let all: readonly Draft[];
  try {
    all = await drafts.all();
  } catch {
    return [];
  }
  const own = all.filter((draft) => draft.owner === owner.owner);
  const others = [...new Set(all.map((draft) => draft.owner))];
  // What a window that crashed has left is taken over by the next one that has nothing of its own.
  const orphans = own.length > 0 ? [] : await orphaned(others, owner);
  const chosen = own.length > 0 ? own : all.filter((draft) => orphans.includes(draft.owner));
  return chosen.toSorted((a, b) => a.place - b.place);
}

async function orphaned(owners: readonly string[], owner: Ownership): Promise<readonly string[]> {
  const answers = await Promise.all(owners.map((each) => owner.isOrphan(each)));
  return owners.filter((_, index) => answers[index]);
}

const BROKEN = "darkroom.broken";

/** Note that a tab could not be shown, for the next start of this window. */
export function noteBroken(tab: string): void {
  try {
    sessionStorage.setItem(BROKEN, tab);
  } catch {
    // Then it is tried once more.
  }
}

function forgetBroken(): string | null {
  try {
    const tab = sessionStorage.getItem(BROKEN);
    sessionStorage.removeItem(BROKEN);
    return tab;
  } catch {
    return null;
  }
}

const ACTIVE = "active";

function remembered(drafts: readonly Draft[]): string | null {
  return drafts.find((draft) => readObject(draft.content)?.[ACTIVE] === true)?.id ?? null;
}

/** Writes what changed, a moment after it did, and at the latest when the page is left. */
class Keeper {
  private written = new Map<string, Tab>();
  /** In which order the tabs were written. */
  private places = new Map<string, number>();
  private active = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: StoreApi<EditorState>,
    private readonly drafts: Drafts,
    private readonly owner: string,
  ) {}

  start(found: readonly Draft[]): void {
    const { tabs } = this.store.getState();
    const places = new Map(found.map((draft) => [draft.id, draft.owner]));
    for (const tab of tabs) if (places.get(tab.id) === this.owner) this.written.set(tab.id, tab);
    this.store.subscribe((state, before) => {
      // A new tab is kept at once: what is run from it finds its way back to it by its id.
      if (state.tabs.some(({ id }) => !before.tabs.some((tab) => tab.id === id))) void this.write();
      else if (state.tabs !== before.tabs || state.activeTab !== before.activeTab) this.soon();
    });
    window.addEventListener("pagehide", () => void this.write());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") void this.write();
    });
    this.soon();
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), PAUSE);
  }

  private async write(): Promise<void> {
    clearTimeout(this.timer);
    const { activeTab, ...open } = this.store.getState();
    // A window with nothing in it leaves nothing: the next one is as new as this was.
    const tabs = open.tabs.length === 1 ? open.tabs.filter((tab) => !isUntouched(tab)) : open.tabs;
    const gone = [...this.written.keys()].filter((id) => !tabs.some((tab) => tab.id === id));
    const changed = tabs.filter(
      (tab) =>
        this.written.get(tab.id) !== tab ||
        this.places.get(tab.id) !== tabs.indexOf(tab) ||
        (activeTab !== this.active && (tab.id === activeTab || tab.id === this.active)),
    );
    this.written = new Map(tabs.map((tab) => [tab.id, tab]));
    this.places = new Map(tabs.map((tab, place) => [tab.id, place]));
    this.active = activeTab;
    const faults = await Promise.all([
      ...gone.map((id) => this.drafts.drop(id)),
      ...changed.map((tab) => {
        const content = contentOf(tab, tab.id === activeTab);
        return this.drafts.keep({
          id: tab.id,
          owner: this.owner,
          place: tabs.indexOf(tab),
          content,
        });
      }),
    ]);
    const fault = faults.find((each) => each !== null);
    if (fault != null) this.store.getState().notify("warning", say(`drafts.${fault}`));
  }
}

function contentOf(tab: Tab, active: boolean): string {
  const { workflow, log, file, saved, path, trail } = tab;
  return printJson({
    workflow,
    saved: saved === workflow ? null : saved,
    log: logText(log),
    file: file === null ? null : { name: file.name, revision: file.revision },
    path,
    trail,
    [ACTIVE]: active,
  });
}

/** The tab of a draft; null if it cannot be read any more. */
export function tabFrom({ id, content }: Draft): Tab | null {
  const whole = readObject(content);
  if (whole === null) return null;
  try {
    const workflow = workflowFrom(whole["workflow"] ?? null);
    const saved = whole["saved"] ?? null;
    const log = whole["log"];
    return {
      id,
      workflow,
      saved: saved === null ? workflow : workflowFrom(saved),
      log: logFrom(typeof log === "string" ? log : ""),
      file: fileFrom(whole["file"]),
      path: texts(whole["path"]).map(graphName),
      trail: texts(whole["trail"]).map(nodeId),
    };
  } catch {
    return null;
  }
}

function fileFrom(value: Json | undefined): OpenFile | null {
  if (!isObject(value)) return null;
  const { name, revision } = value;
  return typeof name === "string" && typeof revision === "string" ? { name, revision } : null;
}

const texts = (value: Json | undefined): string[] =>
  isList(value) ? value.filter((each) => typeof each === "string") : [];

function readObject(text: string) {
  try {
    const value = readJson(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
