import { useEffect } from "react";

import { Canvas } from "./canvas/Canvas";
import { useKeys } from "./canvas/useKeys";
import { applyLook } from "./look/apply";
import { Breadcrumb } from "./panels/Breadcrumb";
import { NodeLibrary } from "./panels/NodeLibrary";
import { Overlays } from "./panels/Overlays";
import { Shell } from "./panels/Shell";
import { TabStrip } from "./panels/TabStrip";
import { useEditor } from "./state/store";

/** The whole editor: what stands in which area of the page. */
export function App() {
  const theme = useEditor((state) => state.theme);
  const density = useEditor((state) => state.density);
  const scale = useEditor((state) => state.scale);
  useEffect(
    () => applyLook(document.documentElement, { theme, density, scale }),
    [theme, density, scale],
  );
  useKeys();
  return (
    <>
      <Shell
        tabs={<TabStrip />}
        breadcrumb={<Breadcrumb />}
        canvas={<Canvas />}
        drawers={{ nodes: <NodeLibrary />, workflows: null, models: null, gallery: null }}
        sides={{ form: null, inspect: null }}
        strip={null}
        run={null}
      />
      <Overlays />
    </>
  );
}
