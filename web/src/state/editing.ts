/** Every change of a document: commands performed, undone and redone. */

import type { Graph, Value } from "../graph/document";
import { graphAt } from "../graph/graphs";
import type { NodeId, TypeName } from "../graph/ids";
import * as log from "../graph/log";
import { newNodes, together, type Command } from "../graph/commands/command";
import { clearInput, setInput } from "../graph/commands/inputs";
import {
  connect,
  connectFirst,
  connectFromFirst,
  disconnect,
  insertOnWire,
  reconnect,
} from "../graph/commands/links";
import { addNode, replaceNode, toggleMode } from "../graph/commands/nodes";
import { collapse, hideWires, pin, setTitle } from "../graph/commands/places";
import { wiresOf, type InputPort, type OutputPort, type Wire } from "../graph/wiring";
import { say } from "../words";
import type { Point, PortRef } from "./canvas";
import { sayCommand } from "./labels";
import { selectedNodes } from "./selection";
import type { EditorState, Slice } from "./store";
import { activeGraph, activePath, activeTab } from "./tabs";
import { titleIn } from "./titles";

export interface EditingSlice {
  /**
   * Change the document of the active tab; whether something changed. Steps that follow each other
   * with the same `merge` key become one; it takes the place of the command's own.
   */
  readonly perform: (command: Command, merge?: string) => boolean;
  /** The same in the tab in which something was begun, whichever is shown when it is done. */
  readonly performIn: (tab: string, command: Command, merge?: string) => boolean;
  /** End the step that is being typed, so that what follows is one of its own. */
  readonly seal: () => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly setInput: (node: NodeId, input: string, value: Value, gesture?: string) => void;
  readonly clearInput: (node: NodeId, input: string) => void;
  /** Add a node, select it, and wire it to a port or put it into a wire, if that fits. */
  readonly addNode: (type: TypeName, at: Point, wired?: PortRef | Wire) => NodeId | null;
  readonly replaceNode: (node: NodeId, type: TypeName) => void;
  readonly connectPorts: (from: OutputPort, to: InputPort, moved?: Wire | null) => boolean;
  /** Say which wires the graph has that it had not before, and something before that. */
  readonly tellWires: (before: Graph, ...first: readonly string[]) => void;
  readonly disconnectPort: (to: InputPort, index?: number) => void;
  readonly setTitle: (node: NodeId, title: string) => void;
  readonly toggleMode: (mode: "mute" | "bypass") => void;
  readonly collapse: (nodes: readonly NodeId[], collapsed: boolean) => void;
  /** Collapse the selection, or expand it if all of it is collapsed. */
  readonly toggleCollapsed: () => void;
  readonly togglePinned: () => void;
  /** Hide the wires of the selection, or show them if all are hidden. */
  readonly toggleWires: () => void;
}

export const editingSlice: Slice<EditingSlice> = (set, get) => ({
  perform: (command, merge) => get().performIn(activeTab(get()).id, command, merge),
  performIn: (tab, command, merge) => {
    const found = get().tabs.find(({ id }) => id === tab);
    if (found === undefined) return false;
    const { id, workflow, log: steps } = found;
    const after = command.apply(workflow, get().catalogue);
    if (after === workflow) return false;
    const key = merge ?? command.merge;
    get().changeTab(id, {
      workflow: after,
      log: log.record(steps, command.name, workflow, after, { merge: key }),
    });
    return true;
  },
  seal: () => {
    const { id, log: steps } = activeTab(get());
    const sealed = log.sealed(steps);
    if (sealed !== steps) get().changeTab(id, { log: sealed });
  },
  ...steps(get),
  ...values(get),
  addNode: (type, at, wired) => {
    const before = activeTab(get());
    const add = addNode(before.path, { type, x: at.x, y: at.y });
    const { perform, catalogue } = get();
    const [id] = newNodes(before.workflow, add.apply(before.workflow, catalogue), before.path);
    if (id === undefined) return null;
    const wire = wired === undefined ? [] : [wiredTo(get(), id, wired)];
    perform(together("add_node", add, ...wire));
    get().usedType(type);
    set({ selected: new Set([id]), openWire: null });
    const added = say("live.added", { title: titleIn(activeGraph(get()), id) });
    get().tellWires(graphAt(before.workflow, before.path) ?? before.workflow, added);
    return id;
  },
  replaceNode: (node, type) => {
    get().perform(replaceNode(activePath(get()), node, type));
  },
  ...wires(get),
  ...places(get),
});

type Get = () => EditorState;

function steps(get: Get): Pick<EditingSlice, "undo" | "redo"> {
  const go = (way: "undo" | "redo") => () => {
    const { id, workflow, log: steps } = activeTab(get());
    const moved = log[way](steps, workflow);
    if (moved === null) {
      get().announce(say(way === "undo" ? "live.nothingToUndo" : "live.nothingToRedo"));
      return;
    }
    get().changeTab(id, { workflow: moved.workflow, log: moved.log });
    const label = sayCommand(moved.label);
    get().announce(say(way === "undo" ? "live.undone" : "live.redone", { label }));
  };
  return { undo: go("undo"), redo: go("redo") };
}

function values(get: Get): Pick<EditingSlice, "setInput" | "clearInput"> {
  return {
    setInput: (node, input, value, gesture) => {
      const command = setInput(activePath(get()), node, input, value);
      const merge = gesture === undefined ? undefined : `${command.merge ?? ""} ${gesture}`;
      get().perform(command, merge);
    },
    clearInput: (node, input) => {
      get().perform(clearInput(activePath(get()), node, input));
    },
  };
}

/** Wires a new node to a port, or puts it into a wire. */
function wiredTo(state: EditorState, id: NodeId, to: PortRef | Wire): Command {
  const path = activePath(state);
  if (!("side" in to)) return insertOnWire(path, id, to);
  return to.side === "out"
    ? connectFirst(path, { node: to.node, output: to.name }, id)
    : connectFromFirst(path, id, { node: to.node, input: to.name });
}

const keyOf = ({ from, to }: Wire): string =>
  JSON.stringify([from.node, from.output, to.node, to.input]);

type Wires = Pick<EditingSlice, "connectPorts" | "disconnectPort" | "tellWires">;

function wires(get: Get): Wires {
  return {
    connectPorts: (from, to, moved = null) => {
      const path = activePath(get());
      const { perform, announce } = get();
      // The other end of a wire may be moved too: then it is another wire to the same input.
      const isSameSource =
        moved !== null && moved.from.node === from.node && moved.from.output === from.output;
      const command = isSameSource ? reconnect(path, moved, to) : connect(path, from, to);
      const isDone = perform(command);
      const graph = activeGraph(get());
      if (isDone) {
        const names = {
          from: titleIn(graph, from.node),
          to: `${titleIn(graph, to.node)}, ${to.input}`,
        };
        announce(say("live.connected", names));
      }
      return isDone;
    },
    disconnectPort: (to, index) => {
      const { perform, announce } = get();
      if (!perform(disconnect(activePath(get()), to, index))) return;
      const title = titleIn(activeGraph(get()), to.node);
      announce(say("live.disconnected", { to: `${title}, ${to.input}` }));
    },
    tellWires: (before, ...first) => {
      const graph = activeGraph(get());
      const known = new Set(wiresOf(before).map(keyOf));
      const fresh = wiresOf(graph).filter((wire) => !known.has(keyOf(wire)));
      if (fresh.length + first.length === 0) return;
      const told = fresh.map(({ from, to }) =>
        say("live.connected", {
          from: titleIn(graph, from.node),
          to: `${titleIn(graph, to.node)}, ${to.input}`,
        }),
      );
      get().announce([...first, ...told].join("; "));
    },
  };
}

type Places = Pick<
  EditingSlice,
  "setTitle" | "toggleMode" | "collapse" | "toggleCollapsed" | "togglePinned" | "toggleWires"
>;

function places(get: Get): Places {
  const isEach = (key: "collapsed" | "pinned" | "wiresHidden"): boolean => {
    const places = activeGraph(get()).view?.nodes ?? {};
    return selectedNodes(get()).every((id) => places[id]?.[key] === true);
  };
  return {
    setTitle: (node, title) => {
      get().perform(setTitle(activePath(get()), node, title));
    },
    toggleMode: (mode) => {
      get().perform(toggleMode(activePath(get()), selectedNodes(get()), mode));
    },
    collapse: (nodes, collapsed) => {
      get().perform(collapse(activePath(get()), nodes, collapsed));
    },
    toggleCollapsed: () => get().collapse(selectedNodes(get()), !isEach("collapsed")),
    togglePinned: () => {
      get().perform(pin(activePath(get()), selectedNodes(get()), !isEach("pinned")));
    },
    toggleWires: () => {
      get().perform(hideWires(activePath(get()), selectedNodes(get()), !isEach("wiresHidden")));
    },
  };
}
