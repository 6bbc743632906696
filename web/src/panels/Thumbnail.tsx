import { useState } from "react";

import { Icon } from "../look/Icon";
import { say } from "../words";

/** A small copy of a picture whose name stands beside it; a sign in its place if the file is gone. */
export function Thumbnail({ source }: { readonly source: string }) {
  const [gone, setGone] = useState<string | null>(null);
  if (gone === source) {
    return (
      <span className="thumbnail-gone" title={say("viewer.gone")}>
        <Icon name="image-off" />
      </span>
    );
  }
  const lose = () => setGone(source);
  return <img src={source} alt="" loading="lazy" draggable={false} onError={lose} />;
}
