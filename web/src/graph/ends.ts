/** Where named inputs and outputs lead. */

import type { InputEnd, OutputEnd } from "./document";
import type { NodeId } from "./ids";
import { drop } from "./tables";

/** A named input with each of the places that it leads to moved; undefined if none is left. */
export function movedEnd(
  end: InputEnd,
  move: (each: InputEnd) => InputEnd | undefined,
): InputEnd | undefined {
  const all = [withoutAlso(end), ...(end.also ?? [])];
  const kept = all.map(move).filter((each) => each !== undefined);
  if (kept.length === all.length && kept.every((each, index) => each === all[index])) return end;
  const isSame =
    kept.length === all.length &&
    kept.every((each, index) => each.node === all[index]?.node && each.input === all[index].input);
  return isSame ? end : endOf(kept);
}

/** Every place that a named input leads to. */
export function placesOf(end: InputEnd): InputEnd[] {
  return [withoutAlso(end), ...(end.also ?? [])];
}

/** A named input that leads to these places; undefined if there are none. */
export function endOf(places: readonly InputEnd[]): InputEnd | undefined {
  const [first, ...also] = places;
  if (first === undefined) return undefined;
  const { node, input, ...rest } = first;
  return also.length === 0 ? first : { node, input, also, ...rest };
}

function withoutAlso(end: InputEnd): InputEnd {
  const { node, input } = end;
  return end.also === undefined ? end : { ...drop(end, "also"), node, input };
}

/** A named output moved or, where `move` gives nothing, taken away. */
export function movedOutput(
  end: OutputEnd,
  follow: (node: NodeId, output: string) => readonly [NodeId, string] | undefined,
): OutputEnd | undefined {
  const next = follow(end.node, end.output);
  if (next === undefined) return undefined;
  return next[0] === end.node && next[1] === end.output
    ? end
    : { ...end, node: next[0], output: next[1] };
}
