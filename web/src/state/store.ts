/** The one store of the page, made of the slices beside it. */

import { create } from "zustand";
import type { StateCreator } from "zustand";

import { canvasSlice } from "./canvas";
import type { CanvasSlice } from "./canvas";
import { catalogueSlice } from "./catalogue";
import type { CatalogueSlice } from "./catalogue";
import { structureSlice } from "./structure";
import type { StructureSlice } from "./structure";
import { copyingSlice } from "./copying";
import type { CopyingSlice } from "./copying";
import { layoutSlice } from "./layout";
import type { LayoutSlice } from "./layout";
import { librarySlice } from "./library";
import type { LibrarySlice } from "./library";
import { dropsSlice } from "./drops";
import type { DropsSlice } from "./drops";
import { filesSlice } from "./files";
import type { FilesSlice } from "./files";
import { editingSlice } from "./editing";
import type { EditingSlice } from "./editing";
import { gallerySlice } from "./gallery";
import type { GallerySlice } from "./gallery";
import { historySlice } from "./history";
import type { HistorySlice } from "./history";
import { modelsSlice } from "./models";
import type { ModelsSlice } from "./models";
import { planSlice } from "./plan";
import type { PlanSlice } from "./plan";
import { problemsSlice } from "./problems";
import type { ProblemsSlice } from "./problems";
import { runningSlice } from "./running";
import type { RunningSlice } from "./running";
import { selectionSlice } from "./selection";
import type { SelectionSlice } from "./selection";
import { settingsSlice } from "./settings";
import type { SettingsSlice } from "./settings";
import { shelfSlice } from "./shelf";
import type { ShelfSlice } from "./shelf";
import { tabsSlice } from "./tabs";
import type { TabsSlice } from "./tabs";
import { uploadsSlice } from "./uploads";
import type { UploadsSlice } from "./uploads";

/** All that the editor knows. Views select the smallest part of it that they show. */
export type EditorState = CatalogueSlice &
  TabsSlice &
  EditingSlice &
  ModelsSlice &
  UploadsSlice &
  ShelfSlice &
  StructureSlice &
  CopyingSlice &
  FilesSlice &
  DropsSlice &
  LayoutSlice &
  LibrarySlice &
  SelectionSlice &
  CanvasSlice &
  RunningSlice &
  HistorySlice &
  GallerySlice &
  PlanSlice &
  ProblemsSlice &
  SettingsSlice;

/** A part of the store: its state and the actions that change it, over the whole. */
export type Slice<Part> = StateCreator<EditorState, [], [], Part>;

/** Changes some of the state. */
export type SetState = Parameters<Slice<unknown>>[0];

export const useEditor = create<EditorState>()((...store) => ({
  ...catalogueSlice(...store),
  ...tabsSlice(...store),
  ...editingSlice(...store),
  ...modelsSlice(...store),
  ...uploadsSlice(...store),
  ...shelfSlice(...store),
  ...structureSlice(...store),
  ...copyingSlice(...store),
  ...filesSlice(...store),
  ...dropsSlice(...store),
  ...layoutSlice(...store),
  ...librarySlice(...store),
  ...selectionSlice(...store),
  ...canvasSlice(...store),
  ...runningSlice(...store),
  ...historySlice(...store),
  ...gallerySlice(...store),
  ...planSlice(...store),
  ...problemsSlice(...store),
  ...settingsSlice(...store),
}));
