import { ViewportPortal } from "@xyflow/react";
import { memo, useMemo } from "react";

import type { Item } from "./flow";
import { boundsOf } from "./places";

/**
 * Something that is painted below all nodes, and hardly seen. With it the browser makes one layer of them while the
 * view moves; things that are far apart with nothing between get a layer each, and then every frame takes long.
 */
export const Ground = memo(function Ground({ items }: { readonly items: readonly Item[] }) {
  const { x, y, width, height } = useMemo(() => boundsOf(items), [items]);
  return (
    <ViewportPortal>
      <div
        className="ground"
        style={{ transform: `translate(${x}px, ${y}px)`, width, height }}
        aria-hidden="true"
      />
    </ViewportPortal>
  );
});
