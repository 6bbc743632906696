/** What the context menu offers, by what it was opened on. */

import { exposedAs } from "../graph/commands/form";
import { nodeId } from "../graph/ids";
import { standsForGraph } from "../graph/ports";
import { at } from "../graph/tables";
import { linksIn } from "../graph/values";
import { isOpen, shortcutOf, type Shortcut } from "../shortcuts";
import type { Overlay, PortRef } from "../state/canvas";
import type { EditorState } from "../state/store";
import { wireOf } from "../state/structure";
import { activeGraph } from "../state/tabs";
import { say } from "../words";

export interface MenuItem {
  readonly title: string;
  readonly run: () => void;
  readonly shortcut?: Shortcut;
  /** Whether it is the first of a part. */
  readonly begins: boolean;
}

type Opened = Extract<Overlay, { kind: "menu" }>;
type Parts = readonly (readonly string[])[];

const canvas: Parts = [
  ["graph.search", "graph.note", "edit.paste", "edit.pasteWired"],
  ["select.all", "graph.arrange", "view.fit"],
  ["graph.leave", "edit.undo", "edit.redo", "view.palette"],
];
const node: Parts = [
  ["edit.rename", "graph.replace", "graph.bypass", "graph.mute", "graph.collapse", "graph.pin"],
  ["graph.wires", "graph.wider", "graph.narrower"],
  ["edit.copy", "edit.cut", "edit.duplicate", "edit.delete"],
  ["graph.group", "graph.subgraph"],
  ["select.upstream", "select.downstream", "graph.arrange", "view.frame"],
];
const several: Parts = [
  ["graph.left", "graph.centre", "graph.right", "graph.top", "graph.middle", "graph.bottom"],
  ["graph.across", "graph.down"],
];
const subgraph: Parts = [["graph.enter", "graph.unpack"]];
const other: Parts = [
  ["graph.wider", "graph.narrower", "graph.taller", "graph.shorter"],
  ["edit.rename", "edit.copy", "edit.cut", "edit.duplicate", "edit.delete"],
];

export function menuFor(editor: EditorState, { target, at: place }: Opened): readonly MenuItem[] {
  if (target.kind === "canvas") return commands(editor, canvas);
  const { id, port } = target;
  if (id.startsWith("wire:")) return wireItems(editor, id, place);
  if (id.includes(":") && /^(frame|note|reroute):/.test(id)) return commands(editor, other);
  const held = at(activeGraph(editor).nodes, id);
  const own = port === undefined ? [] : portItems(editor, portFrom(id, port));
  const parts = [
    ...(held !== undefined && standsForGraph(held.type) ? subgraph : []),
    ...node,
    ...(editor.selected.size > 1 ? several : []),
  ];
  return [...own, ...commands(editor, parts)];
}

function commands(editor: EditorState, parts: Parts): MenuItem[] {
  return parts.flatMap((part) =>
    part
      .flatMap((id) => shortcutOf(id) ?? [])
      .filter((shortcut) => isOpen(shortcut, editor))
      .map((shortcut, index) => ({
        title: shortcut.title,
        run: () => shortcut.run(editor),
        shortcut,
        begins: index === 0,
      })),
  );
}

function portFrom(id: string, port: string): PortRef {
  const [side, ...name] = port.split(":");
  return { node: nodeId(id), side: side === "in" ? "in" : "out", name: name.join(":") };
}

const item = (code: Parameters<typeof say>[0], run: () => void, begins = false): MenuItem => ({
  title: say(code),
  run,
  begins,
});

function portItems(editor: EditorState, port: PortRef): MenuItem[] {
  const { node: id, name, side } = port;
  const graph = activeGraph(editor);
  const value = at(at(graph.nodes, id)?.inputs, name);
  const [link] = side === "in" ? linksIn(value) : [];
  const items = [
    item(
      "menu.connect",
      () => editor.setOpenWire({ from: port, moved: null, by: "pointer" }),
      true,
    ),
    item("menu.addFor", () => {
      const { view } = editor;
      const spot = view?.boxOf(id);
      if (view === null || spot == null) return;
      const x = side === "out" ? spot.x + spot.width + 60 : spot.x - 300;
      const corner = view.toWindow({ x, y: spot.y });
      editor.open({ kind: "search", at: corner, purpose: { kind: "wire", from: port } });
    }),
  ];
  if (side === "out") return items;
  const input = { node: id, input: name };
  return [
    ...items,
    ...(link === undefined
      ? []
      : [
          item("menu.unplug", () => editor.disconnectPort(input)),
          item("menu.source", () => {
            editor.select([link.$link[0]]);
            editor.view?.focusItem(link.$link[0]);
          }),
        ]),
    item(exposedAs(graph, input) === undefined ? "menu.expose" : "menu.hide", () =>
      editor.toggleExposed(input),
    ),
    ...(value === undefined ? [] : [item("menu.default", () => editor.clearInput(id, name))]),
  ];
}

function wireItems(editor: EditorState, key: string, place: Opened["at"]): MenuItem[] {
  const wire = wireOf(editor, key);
  if (wire === null) return [];
  const to = editor.view?.toCanvas(place) ?? place;
  return [
    item("menu.bend", () => editor.addReroute(key, to), true),
    item("menu.between", () =>
      editor.open({ kind: "search", at: place, purpose: { kind: "insert", wire } }),
    ),
    item("menu.cut", () => {
      editor.cutWires([wire]);
      editor.view?.focusPort({ node: wire.to.node, side: "in", name: wire.to.input });
    }),
  ];
}
