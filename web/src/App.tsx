import { useEffect } from "react";

import { Canvas } from "./canvas/Canvas";
import { applyLook } from "./look/apply";
import { Shell } from "./panels/Shell";
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
  return (
    <Shell
      tabs={null}
      breadcrumb={null}
      canvas={<Canvas />}
      drawers={{ nodes: null, workflows: null, models: null, gallery: null }}
      sides={{ form: null, inspect: null }}
      strip={null}
      run={null}
    />
  );
}
