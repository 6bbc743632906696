/** Every command of the editor: what the palette, the cheat sheet and the menus show, and keys run. */

import { selectedNodes } from "./state/selection";
import type { EditorState } from "./state/store";
import { say } from "./words";
import type { ShortcutId } from "./words/shortcuts";

export const groups = ["run", "file", "edit", "select", "graph", "view"] as const;
export type Group = (typeof groups)[number];

export interface Shortcut {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  /** Its own keys, before somebody chose others. */
  readonly keys: readonly string[];
  /** Where its keys count: everywhere, or not while a text is being typed. */
  readonly when: "always" | "outside-text";
  readonly run: (editor: EditorState) => void;
  /** Whether it has something to do; true if absent. */
  readonly isOpen?: (editor: EditorState) => boolean;
}

type Run = Shortcut["run"];
type Extra = Partial<Pick<Shortcut, "when" | "isOpen">>;

function command(id: ShortcutId, keys: readonly string[], run: Run, extra: Extra = {}): Shortcut {
  const group = groups.find((each) => id.startsWith(`${each}.`)) ?? "view";
  return { id, title: say(`shortcut.${id}`), group, keys, run, when: "outside-text", ...extra };
}

const always: Extra = { when: "always" };
const withNodes: Extra = { isOpen: (editor) => selectedNodes(editor).length > 0 };
const withSome: Extra = { isOpen: ({ selected }) => selected.size > 0 };
/** Frames and notes are as tall as one likes; nodes as what is in them. */
const withSized: Extra = {
  isOpen: ({ selected }) => [...selected].some((id) => /^(frame|note):/.test(id)),
};

const run: readonly Shortcut[] = [
  command("run.generate", ["Ctrl+Enter"], (e) => void e.generate(), always),
  command("run.front", ["Ctrl+Shift+Enter"], (e) => void e.generate({ front: true }), always),
  command("run.stop", ["Ctrl+Alt+Enter"], (e) => void e.stop(), always),
];

const file: readonly Shortcut[] = [
  command("file.new", ["Alt+N"], (e) => e.newTab(), always),
  command("file.save", ["Ctrl+S"], (e) => void e.save(), always),
  command("file.saveAs", ["Ctrl+Shift+S"], (e) => e.askName(), always),
  command("file.open", ["Ctrl+O"], (e) => e.toggleDrawer("workflows"), always),
  command("file.close", ["Alt+W"], (e) => e.closeTab(e.activeTab), always),
  command("file.next", ["Ctrl+PageDown", "Alt+PageDown"], (e) => e.step(1), always),
  command("file.previous", ["Ctrl+PageUp", "Alt+PageUp"], (e) => e.step(-1), always),
  command(
    "file.later",
    ["Ctrl+Shift+PageDown", "Alt+Shift+PageDown"],
    (e) => e.carryTab(1),
    always,
  ),
  command("file.earlier", ["Ctrl+Shift+PageUp", "Alt+Shift+PageUp"], (e) => e.carryTab(-1), always),
];

const edit: readonly Shortcut[] = [
  command("edit.undo", ["Ctrl+Z"], (e) => e.undo()),
  command("edit.redo", ["Ctrl+Shift+Z", "Ctrl+Y"], (e) => e.redo()),
  command("edit.copy", ["Ctrl+C"], (e) => e.copySelection(), withSome),
  command("edit.cut", ["Ctrl+X"], (e) => e.cutSelection(), withSome),
  command("edit.paste", ["Ctrl+V"], (e) => e.paste(false)),
  command("edit.pasteWired", ["Ctrl+Shift+V"], (e) => e.paste(true)),
  command("edit.duplicate", ["Ctrl+D"], (e) => e.duplicate(), withSome),
  command("edit.delete", ["Delete", "Backspace"], (e) => e.deleteSelection(), withSome),
  command("edit.rename", ["F2"], renameSelected, withSome),
];

function renameSelected(editor: EditorState): void {
  const [id] = editor.selected;
  if (id !== undefined && !id.startsWith("wire:")) editor.rename(id);
}

const select: readonly Shortcut[] = [
  command("select.all", ["Ctrl+A"], (e) => e.selectAll()),
  command("select.none", [], (e) => e.select([]), withSome),
  command("select.upstream", ["Shift+U"], (e) => e.selectAlong("upstream"), withNodes),
  command("select.downstream", ["Shift+D"], (e) => e.selectAlong("downstream"), withNodes),
  command("select.find", ["Ctrl+F"], (e) => e.open({ kind: "find" }), always),
];

const graph: readonly Shortcut[] = [
  command("graph.search", ["Space"], openSearch),
  command("graph.replace", ["Shift+R"], openReplace, withNodes),
  command("graph.bypass", ["Ctrl+B"], (e) => e.toggleMode("bypass"), withNodes),
  command("graph.mute", ["Ctrl+M"], (e) => e.toggleMode("mute"), withNodes),
  command("graph.collapse", ["Alt+C"], (e) => e.toggleCollapsed(), withNodes),
  command("graph.pin", ["P"], (e) => e.togglePinned(), withNodes),
  command("graph.wires", ["Shift+W"], (e) => e.toggleWires(), withNodes),
  command("graph.wider", ["Alt+]"], (e) => e.grow(16, 0), withSome),
  command("graph.narrower", ["Alt+["], (e) => e.grow(-16, 0), withSome),
  command("graph.taller", ["Alt+}"], (e) => e.grow(0, 16), withSized),
  command("graph.shorter", ["Alt+{"], (e) => e.grow(0, -16), withSized),
  command("graph.menu", ["Shift+F10", "Menu", "Alt+Enter"], (e) => e.view?.openMenu(), {
    isOpen: ({ view }) => view?.hasFocus() ?? false,
  }),
  command("graph.group", ["Ctrl+G"], (e) => e.groupSelection(), withSome),
  command("graph.note", ["Shift+N"], (e) => e.addNote(placeFor(e))),
  command("graph.subgraph", ["Ctrl+Shift+E"], (e) => e.makeSubgraph(), withNodes),
  command("graph.unpack", ["Ctrl+Shift+U"], (e) => e.unpackSubgraph(), withNodes),
  command("graph.enter", ["Ctrl+Alt+Right"], enterSelected, withNodes),
  command("graph.leave", ["Esc"], leaveOrLetGo),
  command("graph.arrange", ["L"], (e) => e.arrange()),
  command("graph.left", ["Alt+Shift+Left"], (e) => e.align("left"), withNodes),
  command("graph.right", ["Alt+Shift+Right"], (e) => e.align("right"), withNodes),
  command("graph.top", ["Alt+Shift+Up"], (e) => e.align("top"), withNodes),
  command("graph.bottom", ["Alt+Shift+Down"], (e) => e.align("bottom"), withNodes),
  command("graph.centre", [], (e) => e.align("centre"), withNodes),
  command("graph.middle", [], (e) => e.align("middle"), withNodes),
  command("graph.across", ["Shift+H"], (e) => e.distribute("across"), withNodes),
  command("graph.down", ["Shift+V"], (e) => e.distribute("down"), withNodes),
];

function placeFor(editor: EditorState) {
  const pointer = editor.view?.pointer() ?? null;
  const { view } = editor;
  if (view === null) return { x: 0, y: 0 };
  return pointer === null ? view.middle() : view.toCanvas(pointer);
}

function openSearch(editor: EditorState): void {
  const { view } = editor;
  if (view === null) return;
  editor.open({
    kind: "search",
    at: view.pointer() ?? view.toWindow(view.middle()),
    purpose: { kind: "add" },
  });
}

function openReplace(editor: EditorState): void {
  const [node] = selectedNodes(editor);
  const { view } = editor;
  if (node === undefined || view === null) return;
  const place = view.placeOf(node) ?? view.middle();
  editor.open({ kind: "search", at: view.toWindow(place), purpose: { kind: "replace", node } });
}

function enterSelected(editor: EditorState): void {
  const [node] = selectedNodes(editor);
  if (node !== undefined) editor.enter(node);
}

function leaveOrLetGo(editor: EditorState): void {
  if (editor.openWire !== null) editor.setOpenWire(null);
  else if (editor.selected.size > 0) editor.select([]);
  else editor.leave();
}

const view: readonly Shortcut[] = [
  command("view.palette", ["Ctrl+K"], (e) => e.open({ kind: "palette" }), always),
  command("view.keys", ["?", "Ctrl+Shift+K"], (e) => e.open({ kind: "keys" })),
  command("view.fit", ["."], (e) => e.view?.fit()),
  command("view.frame", ["F"], (e) => e.view?.fit([...e.selected]), withSome),
  command("view.in", ["Alt+="], (e) => e.view?.zoomBy(1.25)),
  command("view.out", ["Alt+-"], (e) => e.view?.zoomBy(0.8)),
  command("view.hand", ["H"], (e) => e.setTool("hand")),
  command("view.select", ["V"], (e) => e.setTool("select")),
  command("view.minimap", ["Alt+Shift+M"], (e) => e.changeSettings({ minimap: !e.minimap })),
  command("view.snap", ["Shift+G"], (e) => e.changeSettings({ snap: !e.snap })),
  command(
    "view.form",
    ["Alt+M"],
    (e) => e.showSide(e.side === "form" ? "inspect" : "form"),
    always,
  ),
  command("view.nodes", ["N"], (e) => e.toggleDrawer("nodes")),
  command("view.workflows", ["W"], (e) => e.toggleDrawer("workflows")),
  command("view.models", ["M"], (e) => e.toggleDrawer("models")),
  command("view.gallery", ["A"], (e) => e.toggleDrawer("gallery")),
  command("view.settings", ["Ctrl+,"], (e) => e.openSettings(true), always),
  command("view.refresh", ["R"], lookAgain),
];

function lookAgain(editor: EditorState): void {
  void editor.loadCatalogue();
  void editor.refreshModels();
}

export const shortcuts: readonly Shortcut[] = [
  ...run,
  ...file,
  ...edit,
  ...select,
  ...graph,
  ...view,
];

export const shortcutOf = (id: string): Shortcut | undefined =>
  shortcuts.find((each) => each.id === id);

/** The keys of a command: those that were chosen, else its own. */
export const keysFor = (shortcut: Shortcut, chosen: EditorState["keys"]): readonly string[] =>
  chosen[shortcut.id] ?? shortcut.keys;

/** The command that keys run. One that has them by choice comes before one that has them of its own. */
export function shortcutFor(keys: string, chosen: EditorState["keys"]): Shortcut | undefined {
  return (
    shortcuts.find(({ id }) => chosen[id]?.includes(keys)) ??
    shortcuts.find((each) => chosen[each.id] === undefined && each.keys.includes(keys))
  );
}

export const isOpen = (shortcut: Shortcut, editor: EditorState): boolean =>
  isInReach(shortcut, editor) && (shortcut.isOpen?.(editor) ?? true);

/** While something else is looked at in the graph's place, nothing changes the graph unseen. */
function isInReach({ id, group, when }: Shortcut, { stage }: EditorState): boolean {
  if (stage === null || group === "view") return true;
  // A frame is drawn into the fields of a node: each drag is a step of the document.
  if (stage.kind === "frame" && (id === "edit.undo" || id === "edit.redo")) return true;
  return when === "always" && group !== "select";
}
