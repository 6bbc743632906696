/** A graph as React Flow draws it. What has not changed stays the same object, so it is not drawn again. */

import { Position, type Edge, type Node } from "@xyflow/react";

import { typeNamed, type Catalogue, type NodeType } from "../graph/catalogue";
import type {
  Frame,
  Graph,
  GraphNode,
  NodePlace,
  Note,
  Reroute,
  Workflow,
} from "../graph/document";
import { nodesOf } from "../graph/graphs";
import { nodeId, type GraphPath, type NodeId } from "../graph/ids";
import { portsOf, standsForGraph, type Ports } from "../graph/ports";
import { at } from "../graph/tables";
import { mainName, type PortType } from "../graph/types";
import { linksIn } from "../graph/values";
import { wiresOf, Wiring, type Wire } from "../graph/wiring";
import { titleIn } from "../state/titles";
import { say } from "../words";
import { portsIn, shapeOf, type Measures, type Shape } from "./shape";

export type NodeData = {
  readonly id: NodeId;
  readonly node: GraphNode;
  readonly place: NodePlace;
  readonly type: NodeType | undefined;
  readonly known: boolean;
  readonly title: string;
  readonly shape: Shape;
  /** Where the wires into an input come from, as text. */
  readonly sources: Readonly<Record<string, string>>;
};
export type NodeItem = Node<NodeData, "node">;
export type FrameItem = Node<{ readonly frame: Frame }, "frame">;
export type NoteItem = Node<{ readonly note: Note }, "note">;
export type RerouteItem = Node<{ readonly reroute: Reroute; readonly type: string }, "reroute">;
export type Item = NodeItem | FrameItem | NoteItem | RerouteItem;

export type WireData = {
  readonly wire: Wire;
  readonly type: string;
  readonly reroutes: readonly string[];
  readonly muted: boolean;
  /** Whether one of its ends is selected. */
  readonly near: boolean;
  /** Whether it is seen only then. */
  readonly hidden: boolean;
};
export type WireItem = Edge<WireData, "wire">;

export interface Scene {
  readonly workflow: Workflow;
  readonly path: GraphPath;
  readonly graph: Graph;
  readonly catalogue: Catalogue;
  readonly measures: Measures;
  readonly selected: ReadonlySet<string>;
  readonly pictures: ReadonlySet<string>;
}

export const frameKey = (id: string) => `frame:${id}`;
export const noteKey = (id: string) => `note:${id}`;
export const rerouteKey = (id: string) => `reroute:${id}`;
export const wireKey = ({ to, index }: Wire) => `wire:${to.node}\n${to.input}\n${index}`;

interface Kept<T> {
  readonly from: readonly unknown[];
  readonly item: T;
}

/** Remembers what it made, by id. */
class Memory<T> {
  private kept = new Map<string, Kept<T>>();
  private next = new Map<string, Kept<T>>();

  item(id: string, from: readonly unknown[], make: () => T): T {
    const known = this.kept.get(id);
    const isSame = known?.from.every((each, index) => Object.is(each, from[index])) ?? false;
    const entry = known !== undefined && isSame ? known : { from, item: make() };
    this.next.set(id, entry);
    return entry.item;
  }

  /** What was not asked for since is forgotten. */
  turn(): void {
    this.kept = this.next;
    this.next = new Map();
  }
}

interface Built {
  readonly items: Item[];
  readonly wires: WireItem[];
}

/** Whether nothing but the selection is another one. */
function differsInSelection(one: Scene, other: Scene): boolean {
  return (
    one.graph === other.graph &&
    one.workflow === other.workflow &&
    one.path === other.path &&
    one.catalogue === other.catalogue &&
    one.measures === other.measures &&
    [...one.pictures].join() === [...other.pictures].join()
  );
}

const NO_PLACE: NodePlace = {};

export class FlowBuilder {
  private readonly items = new Memory<Item>();
  private readonly ports = new Memory<Ports>();
  private readonly wires = new Memory<WireItem>();
  private readonly marked = new Memory<Item>();
  private readonly markedWires = new Memory<WireItem>();
  private readonly outputTypes = new Map<string, string>();
  private wiring: Wiring | undefined;
  private last: { readonly scene: Scene; readonly bare: Built } | undefined;

  build(scene: Scene): Built {
    const { last } = this;
    const isSame = last !== undefined && differsInSelection(last.scene, scene);
    const bare = isSame ? last.bare : this.whole(scene);
    this.last = { scene, bare };
    return this.selected(bare, scene);
  }

  /** The same with what is selected marked, and without the wires that only then are seen. */
  private selected({ items, wires }: Built, { graph, selected }: Scene): Built {
    const marked = items.map((item) =>
      selected.has(item.id)
        ? this.marked.item(item.id, [item], () => ({ ...item, selected: true }))
        : item,
    );
    const seen = wires.flatMap((wire): WireItem[] => {
      const isSelected = selected.has(wire.id);
      const near = selected.has(wire.source) || selected.has(wire.target);
      if (!isSelected && !near) return wire.data?.hidden === true ? [] : [wire];
      const label = isSelected && wire.data !== undefined ? wireLabel(graph, wire.data.wire) : "";
      return [
        this.markedWires.item(wire.id, [wire, isSelected, near, label], () => ({
          ...wire,
          selected: isSelected,
          // Only then: to go through hundreds of wires by Tab would help nobody.
          focusable: isSelected,
          ...(isSelected && { ariaLabel: label }),
          ...(wire.data && { data: { ...wire.data, near } }),
        })),
      ];
    });
    this.marked.turn();
    this.markedWires.turn();
    return { items: marked, wires: seen };
  }

  /** Everything, with nothing selected. */
  private whole(scene: Scene): Built {
    const { graph, measures } = scene;
    const { scale } = measures;
    const view = graph.view ?? {};
    this.outputTypes.clear();
    this.wiring = undefined;
    const frames = (view.groups ?? []).map((frame) =>
      this.items.item(frameKey(frame.id), [frame, scale], () => frameItem(frame, scale)),
    );
    const nodes = nodesOf(graph).map(([id, node]) => this.node(scene, id, node));
    const notes = (view.notes ?? []).map((note) =>
      this.items.item(noteKey(note.id), [note, scale], () => noteItem(note, scale)),
    );
    const reroutes = (view.reroutes ?? []).flatMap((each) => this.reroute(scene, each));
    const wires = this.wiresIn(scene, reroutes);
    this.items.turn();
    this.ports.turn();
    this.wires.turn();
    return { items: [...frames, ...nodes, ...notes, ...reroutes], wires };
  }

  private node(scene: Scene, id: NodeId, node: GraphNode): Item {
    const { workflow, path, graph, catalogue, measures, pictures } = scene;
    const type = typeNamed(catalogue, node.type);
    // What a graph gives, and what is seen of an unknown type, depends on more than the node.
    const around = type === undefined || standsForGraph(node.type) ? workflow : null;
    const ports = this.ports.item(id, [node, catalogue, around], () =>
      portsOf(workflow, path, id, catalogue),
    );
    for (const { name, type: given } of ports.outputs) {
      const shown = given.kind === "variable" ? this.followed(scene, id, name) : given;
      this.outputTypes.set(`${id}\n${name}`, mainName(shown));
    }
    const place = at(graph.view?.nodes, id) ?? NO_PLACE;
    const sources = sourcesOf(graph, node);
    const from = [node, place, ports, measures, pictures.has(id), JSON.stringify(sources)];
    return this.items.item(id, from, () => {
      const shape = shapeOf(
        ports,
        place,
        { inputs: node.inputs, picture: pictures.has(id) },
        measures,
      );
      const title = titleIn(graph, id);
      const data = { id, node, place, type, known: ports.known, title, shape, sources };
      return nodeItem(data, measures.scale);
    });
  }

  /** What a node gives that passes on what it is given. */
  private followed({ workflow, path, catalogue }: Scene, node: NodeId, output: string): PortType {
    this.wiring ??= new Wiring(workflow, path, catalogue);
    return this.wiring.outputType({ node, output });
  }

  private reroute(scene: Scene, reroute: Reroute): Item[] {
    const node = at(scene.graph.nodes, reroute.node);
    const [link] = linksIn(at(node?.inputs, reroute.input));
    if (link === undefined) return [];
    const type = this.outputTypes.get(link.$link.join("\n")) ?? "anything";
    const key = rerouteKey(reroute.id);
    const { scale, rem } = scene.measures;
    return [
      this.items.item(key, [reroute, scale, type], () => ({
        id: key,
        type: "reroute",
        position: { x: reroute.x * scale - rem / 2, y: reroute.y * scale - rem / 2 },
        ...sized(rem, rem),
        selected: false,
        ariaLabel: say("canvas.bend", { to: titleIn(scene.graph, nodeId(reroute.node)) }),
        data: { reroute, type },
        zIndex: 2,
      })),
    ];
  }

  private wiresIn(scene: Scene, reroutes: readonly Item[]): WireItem[] {
    const { graph } = scene;
    return wiresOf(graph).flatMap((wire): WireItem[] => {
      const { from, to, index } = wire;
      const source = at(graph.nodes, from.node);
      const target = at(graph.nodes, to.node);
      const type = this.outputTypes.get(`${from.node}\n${from.output}`);
      if (source === undefined || target === undefined || type === undefined) return [];
      const id = wireKey(wire);
      const bends =
        index > 0
          ? []
          : reroutes.flatMap((each) =>
              each.type === "reroute" &&
              each.data.reroute.node === to.node &&
              each.data.reroute.input === to.input
                ? [each.id]
                : [],
            );
      const muted = source.mode === "mute" || target.mode === "mute";
      const hidden = areHidden(graph, from.node) || areHidden(graph, to.node);
      const made = [from.node, from.output, type, muted, hidden, bends.join("\n")];
      return [
        this.wires.item(id, made, () => ({
          id,
          type: "wire",
          source: from.node,
          target: to.node,
          sourceHandle: `out:${from.output}`,
          targetHandle: `in:${to.input}`,
          selected: false,
          data: { wire, type, reroutes: bends, muted, near: false, hidden },
        })),
      ];
    });
  }
}

const wireLabel = (graph: Graph, { from, to }: Wire): string =>
  say("canvas.wire", {
    from: titleIn(graph, from.node),
    to: titleIn(graph, to.node),
    input: to.input,
  });

const areHidden = (graph: Graph, node: NodeId): boolean =>
  at(graph.view?.nodes, node)?.wiresHidden === true;

function sourcesOf(graph: Graph, node: GraphNode): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(node.inputs)) {
    const links = linksIn(value);
    if (links.length === 0) continue;
    found[name] = links.map(({ $link: [source] }) => titleIn(graph, source)).join(", ");
  }
  return found;
}

/** Both as given and as measured, so that React Flow need not draw a thing to know its size. */
const sized = (width: number, height: number) => ({
  width: Math.round(width),
  height: Math.round(height),
  measured: { width: Math.round(width), height: Math.round(height) },
});

function nodeItem(data: NodeData, scale: number): NodeItem {
  const { shape, place } = data;
  return {
    id: data.id,
    type: "node",
    position: { x: (place.x ?? 0) * scale, y: (place.y ?? 0) * scale },
    ...sized(shape.width, shape.height),
    selected: false,
    draggable: place.pinned !== true,
    ariaLabel: data.title,
    data,
    zIndex: 3,
    handles: portsIn(shape).map(({ side, name, y }) => ({
      id: `${side}:${name}`,
      type: side === "in" ? ("target" as const) : ("source" as const),
      position: side === "in" ? Position.Left : Position.Right,
      x: side === "in" ? 0 : shape.width,
      y,
      width: 0,
      height: 0,
    })),
  };
}

function frameItem(frame: Frame, scale: number): FrameItem {
  return {
    id: frameKey(frame.id),
    type: "frame",
    position: { x: frame.x * scale, y: frame.y * scale },
    ...sized(frame.width * scale, frame.height * scale),
    selected: false,
    ariaLabel: frame.title,
    data: { frame },
    dragHandle: ".frame-head",
    zIndex: 0,
  };
}

function noteItem(note: Note, scale: number): NoteItem {
  return {
    id: noteKey(note.id),
    type: "note",
    position: { x: note.x * scale, y: note.y * scale },
    ...sized(note.width * scale, note.height * scale),
    selected: false,
    ariaLabel: note.text.slice(0, 80),
    data: { note },
    zIndex: 1,
  };
}
