/** Files that were dropped or pasted: workflows open, and of pictures it is asked what they are for. */

import { addNode } from "../graph/commands/nodes";
import { setInput } from "../graph/commands/inputs";
import { say } from "../words";
import { attempting } from "./attempts";
import { whatIsIn, type Opening } from "./dropped";
import type { PictureInput } from "./gallery";
import { pictureInputs, pictureReader } from "./pictureInputs";
import type { EditorState, SetState, Slice } from "./store";
import { activeTab, activeWorkflow, type Tab } from "./tabs";

/** A picture that was dropped: what it would open, or why that is nothing. */
export interface DroppedPicture {
  readonly file: File;
  readonly opening: Opening | null;
  readonly why: string;
}

export interface DropsSlice {
  /** Pictures that somebody has to say the use of, and the tab that was shown when they came. */
  readonly dropped: { readonly tab: string; readonly pictures: readonly DroppedPicture[] } | null;
  /** Take files in: workflows each in a tab, the first picture at its `place` if it was dropped on one. */
  readonly openDropped: (files: readonly File[], place?: PictureInput) => Promise<void>;
  /** Open the workflows that the pictures carry. */
  readonly openCarried: () => void;
  /** Use the picture in an input, or in a node that is added for it. */
  readonly useDropped: (place: PictureInput | "new") => Promise<boolean>;
  /** Send all of the pictures, so that inputs can name them. */
  readonly sendDropped: () => Promise<boolean>;
  readonly dismissDropped: () => void;
}

export const dropsSlice: Slice<DropsSlice> = (set, get) => ({
  dropped: null,
  openDropped: (files, place) => takeIn(set, get, files, place),
  openCarried: () => {
    const { dropped } = get();
    set({ dropped: null });
    for (const { file, opening } of dropped?.pictures ?? [])
      if (opening !== null) open(get, file.name, opening);
  },
  useDropped: (place) =>
    attempting(get)(async () => {
      const { dropped } = get();
      const [picture] = dropped?.pictures ?? [];
      set({ dropped: null });
      if (dropped === null || picture === undefined) return;
      await put(get, picture.file, droppedOn(get(), dropped.tab).id, place);
    }),
  sendDropped: () =>
    attempting(get)(async () => {
      const pictures = get().dropped?.pictures ?? [];
      set({ dropped: null });
      await send(
        get,
        pictures.map(({ file }) => file),
      );
    }),
  dismissDropped: () => set({ dropped: null }),
});

/** The tab on which something was dropped, or what has its place since. */
export const droppedOn = (state: EditorState, id: string): Tab =>
  state.tabs.find((tab) => tab.id === id) ?? activeTab(state);

type Get = () => EditorState;

async function takeIn(
  set: SetState,
  get: Get,
  files: readonly File[],
  place: PictureInput | undefined,
): Promise<void> {
  const tab = get().activeTab;
  const before = activeWorkflow(get());
  const pictures: DroppedPicture[] = [];
  for (const file of files) {
    const found = await whatIsIn(file, get().modelsFolder);
    if (found.kind === "problem") get().notify("error", found.problem);
    else if (found.kind === "picture") pictures.push({ file, ...found });
    else open(get, file.name, found.opening);
  }
  const [first, ...rest] = pictures;
  if (first === undefined) return;
  if (place !== undefined) {
    await attempting(get)(async () => {
      await put(get, first.file, tab, place);
      if (rest.length > 0)
        await send(
          get,
          rest.map(({ file }) => file),
        );
    });
    return;
  }
  // Nothing to ask where nothing takes a picture: it was dropped for what it carries.
  const isPlain = rest.length === 0 && first.opening !== null;
  if (isPlain && pictureInputs(before, get().catalogue).length === 0)
    open(get, first.file.name, first.opening);
  else set({ dropped: { tab, pictures } });
}

function open(get: Get, name: string, { workflow, remarks }: Opening): void {
  get().openWorkflow(workflow);
  get().notify("info", say("drop.opened", { name }));
  if (remarks.length === 0) return;
  const lines = remarks.map((remark) => `\n– ${remark}`).join("");
  get().notify("warning", say("drop.remarks", { name }) + lines);
}

/** Send a picture, and put its name into an input of the tab in which it was dropped. */
async function put(get: Get, file: File, tab: string, place: PictureInput | "new"): Promise<void> {
  const { path } = droppedOn(get(), tab);
  const name = await get().sendPicture(file);
  if (place !== "new") {
    get().performIn(tab, setInput(place.path, place.node, place.input, name));
    get().announce(say("gallery.used", { name, input: titleOf(get, tab, place) }));
    return;
  }
  const reader = pictureReader(get().catalogue);
  if (reader === null) return;
  const at = get().view?.middle() ?? { x: 0, y: 0 };
  const inputs = { [reader.input]: name };
  get().performIn(tab, addNode(path, { type: reader.type.name, ...at, inputs }));
  get().announce(say("live.added", { title: reader.type.name }));
}

function titleOf(get: Get, tab: string, place: PictureInput): string {
  const inputs = pictureInputs(droppedOn(get(), tab).workflow, get().catalogue);
  const found = inputs.find(({ node, input }) => node === place.node && input === place.input);
  return found?.title ?? place.input;
}

async function send(get: Get, files: readonly File[]): Promise<void> {
  const names: string[] = [];
  for (const file of files) names.push(await get().sendPicture(file));
  get().notify("info", say("dropped.sent", { names: names.join(", ") }));
}
