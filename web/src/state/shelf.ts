/** The saved workflows: one's own, and those that come with Darkroom. */

import { createClient, type Client } from "../api/client";
import { readDocument, readText, saveDocument } from "../api/documents";
import { path } from "../api/request";
import type { WorkflowEntry, WorkflowVersion } from "../api/shapes";
import { readWorkflow } from "../graph/read";
import { say } from "../words";
import { attempting } from "./attempts";
import type { Reading } from "./models";
import type { Slice } from "./store";

export interface ShelfSlice {
  readonly shelf: readonly WorkflowEntry[];
  readonly shelfReading: Reading;
  readonly refreshShelf: () => Promise<void>;
  /** Give a file another name: saved under the new one, then the old one is deleted. */
  readonly renameFile: (entry: WorkflowEntry, name: string) => Promise<boolean>;
  readonly deleteFile: (entry: WorkflowEntry) => Promise<boolean>;
  readonly versionsOf: (name: string) => Promise<readonly WorkflowVersion[]>;
  /** Open what a file was at a version, in a tab of its own that is not that file's. */
  readonly openVersion: (name: string, version: number) => Promise<void>;
}

interface Asked extends Pick<Client, "listWorkflows" | "deleteWorkflow" | "listVersions"> {
  readonly readDocument: typeof readDocument;
  readonly saveDocument: typeof saveDocument;
  readonly readVersion: (name: string, version: number) => Promise<string>;
}

/** The slice with a server of one's own: for tests. */
export const shelfSliceIn =
  (server: Asked): Slice<ShelfSlice> =>
  (set, get) => {
    const attempt = attempting(get);
    return {
      shelf: [],
      shelfReading: "unread",
      refreshShelf: async () => {
        set({ shelfReading: "reading" });
        try {
          set({ shelf: await server.listWorkflows(), shelfReading: "read" });
        } catch {
          set({ shelfReading: "failed" });
        }
      },
      renameFile: (entry, name) =>
        attempt(async () => {
          const { text, revision } = await server.readDocument(entry.name);
          const saved = await server.saveDocument(name, text, "new");
          await server.deleteWorkflow(entry.name, { revision: entry.revision });
          for (const tab of get().tabs)
            if (tab.file?.name === entry.name) {
              // A tab that was read before another's save stays behind: its own save shall ask.
              const isCurrent = tab.file.revision === revision;
              const now = isCurrent ? saved.revision : tab.file.revision;
              get().changeTab(tab.id, { file: { name, revision: now } });
            }
          await get().refreshShelf();
        }),
      deleteFile: (entry) =>
        attempt(async () => {
          await server.deleteWorkflow(entry.name, { revision: entry.revision });
          for (const tab of get().tabs)
            if (tab.file?.name === entry.name) get().changeTab(tab.id, { file: null });
          await get().refreshShelf();
        }),
      versionsOf: (name) => server.listVersions(name),
      openVersion: async (name, version) => {
        await attempt(async () => {
          const text = await server.readVersion(name, version);
          try {
            get().openWorkflow(readWorkflow(text));
          } catch (error) {
            const why = error instanceof Error ? error.message : String(error);
            get().notify("error", say("drop.broken", { name: `${name}, ${version}`, why }));
          }
        });
      },
    };
  };

const pageShelf = (): Asked => ({
  ...createClient(),
  readDocument,
  saveDocument,
  readVersion: (name, version) => readText(path("workflows", name, "versions", version)),
});

export const shelfSlice: Slice<ShelfSlice> = (...store) => shelfSliceIn(pageShelf())(...store);
