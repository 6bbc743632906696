import { useEditor } from "../state/store";
import { activeTab } from "../state/tabs";
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
  const around = useEditor((state) => activeTab(state).trail);
  const onPaint =
    place &&
    (() => {
      const trail = place.path.length === 0 ? [] : around;
      show({ kind: "paint", node: [...trail, place.node].join("/"), input: place.input });
    });
  return <PictureBox {...rest} onPaint={onPaint} />;
}
