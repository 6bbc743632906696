/** Every command of the editor: what the palette, the cheat sheet and the menus show, and keys run. */

import { selectedNodes } from "./state/selection";
import type { EditorState } from "./state/store";

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

function command(
  id: string,
  title: string,
  keys: readonly string[],
  run: Run,
  extra: Extra = {},
): Shortcut {
  const group = groups.find((each) => id.startsWith(`${each}.`)) ?? "view";
  return { id, title, group, keys, run, when: "outside-text", ...extra };
}

const always: Extra = { when: "always" };
const withNodes: Extra = { isOpen: (editor) => selectedNodes(editor).length > 0 };
const withSome: Extra = { isOpen: ({ selected }) => selected.size > 0 };

const run: readonly Shortcut[] = [
  command("run.generate", "Generate", ["Ctrl+Enter"], (e) => void e.generate(), always),
  command(
    "run.front",
    "Generate before all that waits",
    ["Ctrl+Shift+Enter"],
    (e) => void e.generate({ front: true }),
    always,
  ),
  command("run.stop", "Stop", ["Ctrl+Alt+Enter"], (e) => void e.stop(), always),
];

const file: readonly Shortcut[] = [
  command("file.new", "New workflow", ["Alt+N"], (e) => e.newTab(), always),
  command("file.save", "Save", ["Ctrl+S"], (e) => void e.save(), always),
  command("file.saveAs", "Save as…", ["Ctrl+Shift+S"], (e) => e.askName(), always),
  command("file.open", "Open a workflow", ["Ctrl+O"], (e) => e.toggleDrawer("workflows"), always),
  command("file.close", "Close the workflow", ["Alt+W"], (e) => e.closeTab(e.activeTab), always),
  command("file.next", "Next workflow", ["Ctrl+PageDown"], (e) => e.step(1), always),
  command("file.previous", "Workflow before", ["Ctrl+PageUp"], (e) => e.step(-1), always),
];

const edit: readonly Shortcut[] = [
  command("edit.undo", "Undo", ["Ctrl+Z"], (e) => e.undo()),
  command("edit.redo", "Redo", ["Ctrl+Shift+Z", "Ctrl+Y"], (e) => e.redo()),
  command("edit.copy", "Copy", ["Ctrl+C"], (e) => e.copySelection(), withSome),
  command("edit.cut", "Cut", ["Ctrl+X"], (e) => e.cutSelection(), withSome),
  command("edit.paste", "Paste", ["Ctrl+V"], (e) => e.paste(false)),
  command("edit.pasteWired", "Paste with connections", ["Ctrl+Shift+V"], (e) => e.paste(true)),
  command("edit.duplicate", "Duplicate", ["Ctrl+D"], (e) => e.duplicate(), withSome),
  command(
    "edit.delete",
    "Delete and close the gap",
    ["Delete", "Backspace"],
    (e) => e.deleteSelection(),
    withSome,
  ),
  command("edit.rename", "Rename", ["F2"], renameSelected, withSome),
];

function renameSelected(editor: EditorState): void {
  const [id] = editor.selected;
  if (id !== undefined && !id.startsWith("wire:")) editor.rename(id);
}

const select: readonly Shortcut[] = [
  command("select.all", "Select everything", ["Ctrl+A"], (e) => e.selectAll()),
  command("select.none", "Select nothing", [], (e) => e.select([]), withSome),
  command(
    "select.upstream",
    "Select what this depends on",
    ["Shift+U"],
    (e) => e.selectAlong("upstream"),
    withNodes,
  ),
  command(
    "select.downstream",
    "Select what depends on this",
    ["Shift+D"],
    (e) => e.selectAlong("downstream"),
    withNodes,
  ),
  command("select.find", "Find in the graph", ["Ctrl+F"], (e) => e.open({ kind: "find" }), always),
];

const graph: readonly Shortcut[] = [
  command("graph.search", "Add a node", ["Space"], openSearch),
  command("graph.replace", "Replace the node…", ["Shift+R"], openReplace, withNodes),
  command("graph.bypass", "Bypass", ["Ctrl+B"], (e) => e.toggleMode("bypass"), withNodes),
  command("graph.mute", "Mute", ["Ctrl+M"], (e) => e.toggleMode("mute"), withNodes),
  command("graph.collapse", "Collapse or expand", ["Alt+C"], (e) => e.toggleCollapsed(), withNodes),
  command("graph.pin", "Pin in its place", ["P"], (e) => e.togglePinned(), withNodes),
  command("graph.wires", "Hide or show its wires", ["Shift+W"], (e) => e.toggleWires(), withNodes),
  command("graph.wider", "Wider", ["Alt+]"], (e) => e.widen(16), withNodes),
  command("graph.narrower", "Narrower", ["Alt+["], (e) => e.widen(-16), withNodes),
  command("graph.group", "Group", ["Ctrl+G"], (e) => e.groupSelection(), withSome),
  command("graph.note", "Add a note", ["Shift+N"], (e) => e.addNote(placeFor(e))),
  command(
    "graph.subgraph",
    "Make a subgraph",
    ["Ctrl+Shift+E"],
    (e) => e.makeSubgraph(),
    withNodes,
  ),
  command(
    "graph.unpack",
    "Unpack the subgraph",
    ["Ctrl+Shift+U"],
    (e) => e.unpackSubgraph(),
    withNodes,
  ),
  command("graph.enter", "Enter the subgraph", ["Ctrl+Alt+Right"], enterSelected, withNodes),
  command("graph.leave", "Leave the subgraph", ["Esc"], leaveOrLetGo),
  command("graph.arrange", "Arrange", ["L"], (e) => e.arrange()),
  command("graph.left", "Align left", ["Alt+Shift+Left"], (e) => e.align("left"), withNodes),
  command("graph.right", "Align right", ["Alt+Shift+Right"], (e) => e.align("right"), withNodes),
  command("graph.top", "Align top", ["Alt+Shift+Up"], (e) => e.align("top"), withNodes),
  command("graph.bottom", "Align bottom", ["Alt+Shift+Down"], (e) => e.align("bottom"), withNodes),
  command("graph.centre", "Align centres", [], (e) => e.align("centre"), withNodes),
  command("graph.middle", "Align middles", [], (e) => e.align("middle"), withNodes),
  command(
    "graph.across",
    "Distribute across",
    ["Shift+H"],
    (e) => e.distribute("across"),
    withNodes,
  ),
  command("graph.down", "Distribute down", ["Shift+V"], (e) => e.distribute("down"), withNodes),
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
  command("view.palette", "Commands", ["Ctrl+K"], (e) => e.open({ kind: "palette" }), always),
  command("view.keys", "Keys", ["?", "Ctrl+Shift+K"], (e) => e.open({ kind: "keys" })),
  command("view.fit", "Show everything", ["."], (e) => e.view?.fit()),
  command("view.frame", "Show the selection", ["F"], (e) => e.view?.fit([...e.selected]), withSome),
  command("view.in", "Zoom in", ["Alt+="], (e) => e.view?.zoomBy(1.25)),
  command("view.out", "Zoom out", ["Alt+-"], (e) => e.view?.zoomBy(0.8)),
  command("view.hand", "Drag the view", ["H"], (e) => e.setTool("hand")),
  command("view.select", "Drag a selection", ["V"], (e) => e.setTool("select")),
  command("view.minimap", "Map of the graph", ["Alt+Shift+M"], (e) =>
    e.changeSettings({ minimap: !e.minimap }),
  ),
  command("view.snap", "Snap to the grid", ["Shift+G"], (e) => e.changeSettings({ snap: !e.snap })),
  command(
    "view.form",
    "Form",
    ["Alt+M"],
    (e) => e.showSide(e.side === "form" ? "inspect" : "form"),
    always,
  ),
  command("view.nodes", "Node library", ["N"], (e) => e.toggleDrawer("nodes")),
  command("view.workflows", "Workflows", ["W"], (e) => e.toggleDrawer("workflows")),
  command("view.models", "Models", ["M"], (e) => e.toggleDrawer("models")),
  command("view.gallery", "Gallery", ["A"], (e) => e.toggleDrawer("gallery")),
  command("view.settings", "Settings", ["Ctrl+,"], (e) => e.openSettings(true), always),
  command("view.refresh", "Look for new nodes and models", ["R"], lookAgain),
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
