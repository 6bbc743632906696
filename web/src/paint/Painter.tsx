import type { PictureInput } from "../state/gallery";

export function Painter({ place }: { readonly place: PictureInput }) {
  return <p>{place.input}</p>;
}
