import type { PictureInput } from "../state/gallery";

export function FrameEditor({ place }: { readonly place: Omit<PictureInput, "input"> }) {
  return <p>{place.node}</p>;
}
