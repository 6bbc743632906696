/** Copied parts put into a graph. */

import { type Chosen, type Clip, copied } from "../clipboard";
import type { Graph, GraphNode, NodePlace, View, Workflow } from "../document";
import { freshName, type GraphPath, type NodeId, nodeId } from "../ids";
import { numberOf } from "../json";
import { settled, withGraphNamed, withSubgraphs } from "../scopes";
import { at, entriesOf, has, keysOf, put, tableOf } from "../tables";
import { linksIn } from "../values";
import { changeGraph, isTaken, relinked, withView } from "./change";
import type { Command } from "./command";
import { freshId } from "./canvas";
import type { Point } from "./places";

export interface PasteOptions {
  /** Where the upper left corner of what was copied shall stand; else a little beside it. */
  readonly to?: Point;
  /** Keep the wires from nodes that were not copied, where these are there. */
  readonly outerWires?: boolean;
}

const BESIDE = 32;

export function paste(path: GraphPath, clip: Clip, options: PasteOptions = {}): Command {
  return {
    name: "paste",
    apply: (workflow) => {
      const { added, names } = settled(workflow, path, clip.subgraphs);
      return changeGraph(workflow, path, (graph) => {
        const nodes = withGraphNamed(clip.nodes, names);
        const ids = freshIds(graph, keysOf(nodes));
        const entries = entriesOf(nodes).map(([id, node]): [string, GraphNode] => [
          ids.get(id) ?? id,
          relinked(node, (source, output) => {
            const inner = ids.get(source);
            if (inner !== undefined) return [inner, output];
            return options.outerWires === true && has(graph.nodes, source)
              ? [source, output]
              : undefined;
          }),
        ]);
        const whole = { ...graph, nodes: tableOf([...entriesOf(graph.nodes), ...entries]) };
        return withView(withSubgraphs(whole, added), (view) =>
          pastedView(whole, view, clip, ids, options.to),
        );
      });
    },
  };
}

/** Copy and paste in one, beside the original, with the wires that lead into it. */
export function duplicate(
  workflow: Workflow,
  path: GraphPath,
  chosen: Chosen,
  options: PasteOptions = { outerWires: true },
): Command {
  return { ...paste(path, copied(workflow, path, chosen), options), name: "duplicate" };
}

function freshIds(graph: Graph, names: readonly string[]): Map<string, NodeId> {
  const ids = new Map<string, NodeId>();
  const isOld = isTaken(graph);
  const used = new Set<string>();
  for (const name of names) {
    const id = freshName(name, (each) => isOld(each) || used.has(each));
    used.add(id);
    ids.set(name, nodeId(id));
  }
  return ids;
}

function shifted<Item extends Point>(item: Item, by: Point): Item {
  return { ...item, x: (numberOf(item.x) ?? 0) + by.x, y: (numberOf(item.y) ?? 0) + by.y };
}

function pastedView(
  graph: Graph,
  view: View,
  clip: Clip,
  ids: ReadonlyMap<string, NodeId>,
  to: Point | undefined,
): View {
  const corner = cornerOf(clip);
  const by =
    to === undefined ? { x: BESIDE, y: BESIDE } : { x: to.x - corner.x, y: to.y - corner.y };
  let { nodes = {}, groups = [], notes = [], reroutes = [] } = view;
  for (const [old, id] of ids) {
    const place: NodePlace = at(clip.places, old) ?? {};
    const x = (numberOf(place.x) ?? corner.x) + by.x;
    nodes = put(nodes, id, { ...place, x, y: (numberOf(place.y) ?? corner.y) + by.y });
  }
  for (const group of clip.groups) {
    groups = [...groups, { ...shifted(group, by), id: freshId(group.id, groups) }];
  }
  for (const note of clip.notes) {
    notes = [...notes, { ...shifted(note, by), id: freshId(note.id, notes) }];
  }
  for (const dot of clip.reroutes) {
    const node = ids.get(dot.node);
    if (node !== undefined && linksIn(at(at(graph.nodes, node)?.inputs, dot.input)).length > 0) {
      reroutes = [...reroutes, { ...shifted(dot, by), id: freshId(dot.id, reroutes), node }];
    }
  }
  return {
    ...view,
    ...(ids.size > 0 ? { nodes } : {}),
    ...(clip.groups.length > 0 ? { groups } : {}),
    ...(clip.notes.length > 0 ? { notes } : {}),
    ...(clip.reroutes.length > 0 ? { reroutes } : {}),
  };
}

/** The upper left corner of what was copied. */
export function cornerOf(clip: Clip): Point {
  const items = [
    ...entriesOf(clip.places).map(([, place]) => place),
    ...clip.groups,
    ...clip.notes,
  ];
  const least = (values: readonly (number | null)[]): number =>
    Math.min(...values.filter((value) => value !== null));
  const [x, y] = [
    least(items.map((item) => numberOf(item.x))),
    least(items.map((item) => numberOf(item.y))),
  ];
  return { x: Number.isFinite(x) ? x : 0, y: Number.isFinite(y) ? y : 0 };
}
