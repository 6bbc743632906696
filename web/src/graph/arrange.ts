/** Nodes laid out in columns, each behind those that it depends on, with few crossing wires. */

import type { Graph } from "./document";
import { nodeIds } from "./graphs";
import type { NodeId } from "./ids";
import { placeOf } from "./view";
import { wiresOf } from "./wiring";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Spacing {
  readonly column: number;
  readonly row: number;
}

const SWEEPS = 6;

/** New places for some nodes, or for all that are not pinned; their upper left corner stays. */
export function arranged(
  graph: Graph,
  sizeOf: (id: NodeId) => Size,
  only?: readonly NodeId[],
  spacing: Spacing = { column: 64, row: 24 },
): Map<NodeId, { x: number; y: number }> {
  const chosen = (only ?? nodeIds(graph)).filter((id) => placeOf(graph, id)?.pinned !== true);
  const isChosen = new Set(chosen);
  const wires = wiresOf(graph).filter(
    ({ from, to }) => isChosen.has(from.node) && isChosen.has(to.node),
  );
  const sources = neighbours(wires.map(({ from, to }) => [to.node, from.node]));
  const targets = neighbours(wires.map(({ from, to }) => [from.node, to.node]));
  const columns = columnsOf(chosen, sources, targets);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForward = sweep % 2 === 0;
    sort(isForward ? columns : [...columns].reverse(), isForward ? sources : targets);
  }
  const places = chosen.map((id) => placeOf(graph, id)).filter((place) => place !== undefined);
  const left = places.length === 0 ? 0 : Math.min(...places.map(({ x }) => x));
  const top = places.length === 0 ? 0 : Math.min(...places.map(({ y }) => y));
  return laidOut(columns, sizeOf, { left, top }, spacing);
}

type Neighbours = ReadonlyMap<NodeId, readonly NodeId[]>;

function neighbours(pairs: readonly (readonly [NodeId, NodeId])[]): Neighbours {
  const found = new Map<NodeId, NodeId[]>();
  for (const [id, other] of pairs) {
    const list = found.get(id);
    if (list === undefined) found.set(id, [other]);
    else list.push(other);
  }
  return found;
}

/** Nodes by the longest way to them; those with nothing behind them stand next to what they feed. */
function columnsOf(ids: readonly NodeId[], sources: Neighbours, targets: Neighbours): NodeId[][] {
  const depth = new Map<NodeId, number>();
  const open = new Set<NodeId>();
  const depthOf = (id: NodeId): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    if (open.has(id)) return 0; // a cycle: some wire has to lead back
    open.add(id);
    const found = Math.max(-1, ...(sources.get(id) ?? []).map(depthOf)) + 1;
    open.delete(id);
    depth.set(id, found);
    return found;
  };
  ids.forEach(depthOf);
  for (const id of ids) {
    const fed = targets.get(id) ?? [];
    if ((sources.get(id) ?? []).length > 0 || fed.length === 0) continue;
    depth.set(id, Math.max(0, Math.min(...fed.map((each) => depth.get(each) ?? 1)) - 1));
  }
  const columns: NodeId[][] = [];
  for (const id of ids) {
    const place = depth.get(id) ?? 0;
    while (columns.length <= place) columns.push([]);
    columns[place]?.push(id);
  }
  return columns.filter((column) => column.length > 0);
}

/** Order each column by the middle of what its nodes are wired to in the columns before. */
function sort(columns: readonly NodeId[][], wired: Neighbours): void {
  const row = new Map<NodeId, number>();
  for (const column of columns) {
    column.forEach((id, index) => row.set(id, index));
    const middle = new Map<NodeId, number>();
    for (const [index, id] of column.entries()) {
      const rows = (wired.get(id) ?? []).flatMap((each) => row.get(each) ?? []);
      const sum = rows.reduce((total, each) => total + each, 0);
      middle.set(id, rows.length === 0 ? index : sum / rows.length);
    }
    column.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
    column.forEach((id, index) => row.set(id, index));
  }
}

function laidOut(
  columns: readonly (readonly NodeId[])[],
  sizeOf: (id: NodeId) => Size,
  corner: { readonly left: number; readonly top: number },
  spacing: Spacing,
): Map<NodeId, { x: number; y: number }> {
  const heights = columns.map((column) =>
    column.reduce((sum, id) => sum + sizeOf(id).height + spacing.row, -spacing.row),
  );
  const tallest = Math.max(0, ...heights);
  const places = new Map<NodeId, { x: number; y: number }>();
  let x = corner.left;
  for (const [index, column] of columns.entries()) {
    let y = corner.top + Math.round((tallest - (heights[index] ?? 0)) / 2);
    for (const id of column) {
      places.set(id, { x, y });
      y += sizeOf(id).height + spacing.row;
    }
    x += Math.max(...column.map((id) => sizeOf(id).width)) + spacing.column;
  }
  return places;
}
