import { useEditor } from "../state/store";
import { PictureBox } from "./PictureBox";
import type { FieldPlace } from "./props";

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly place: FieldPlace | undefined;
  readonly label: string;
  readonly disabled: boolean;
  readonly invalid: boolean;
  readonly describedBy: string | undefined;
}

/** A picture of the document, on which a mask may be painted. */
export function PictureField({ place, ...rest }: Props) {
  const show = useEditor((state) => state.show);
  const onPaint =
    place &&
    (() => show({ kind: "paint", path: place.path, node: place.node, input: place.input }));
  return <PictureBox {...rest} onPaint={onPaint} place={place} />;
}
