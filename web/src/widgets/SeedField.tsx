import type { Json, Value } from "../graph/document";
import type { NumberField } from "../graph/schema";
import { graphAt } from "../graph/graphs";
import { at } from "../graph/tables";
import { keepSeed, seedMode, setSeedMode } from "../state/seeds";
import { shownDocument } from "../state/shown";
import { useEditor } from "../state/store";
import { activeWorkflow } from "../state/tabs";
import type { FieldPlace } from "./props";
import { SeedBox } from "./SeedBox";

interface Props {
  readonly field: NumberField;
  readonly value: Json | undefined;
  readonly onChange: (value: Value, gesture?: string) => void;
  readonly place: FieldPlace | undefined;
  readonly label: string;
  readonly disabled: boolean;
  readonly invalid: boolean;
  readonly describedBy: string | undefined;
}

/** A seed of the document, with what becomes of it after a run. */
export function SeedField({ field, place, ...rest }: Props) {
  const mode = useEditor((state) => {
    const graph = place && graphAt(activeWorkflow(state), place.path);
    return place && graph && seedMode(graph, place.node, place.input);
  });
  const last = useEditor((state) => {
    const document = shownDocument(state);
    const graph = place && document && graphAt(document, place.path);
    const seed = place && graph && at(at(graph.nodes, place.node)?.inputs, place.input);
    return typeof seed === "number" || typeof seed === "bigint" ? seed : undefined;
  });
  const perform = useEditor((state) => state.perform);
  const end = BigInt(field.exclusiveMaximum ?? BigInt(field.maximum ?? 2 ** 53 - 1) + 1n);
  return (
    <SeedBox
      {...rest}
      end={end}
      mode={mode}
      last={last}
      onKeep={place && ((seed) => perform(keepSeed(place.path, place.node, place.input, seed)))}
      onMode={place && ((next) => perform(setSeedMode(place.path, place.node, place.input, next)))}
    />
  );
}
