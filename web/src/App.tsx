import { useEffect } from "react";

import { Canvas } from "./canvas/Canvas";
import { applyLook } from "./look/apply";
import { FilmStrip } from "./panels/FilmStrip";
import { Gallery } from "./panels/Gallery";
import { RunBar } from "./panels/RunBar";
import { Shell } from "./panels/Shell";
import { Stage } from "./panels/Stage";
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
      canvas={
        <>
          <Canvas />
          <Stage />
        </>
      }
      drawers={{ nodes: null, workflows: null, models: null, gallery: <Gallery /> }}
      sides={{ form: null, inspect: null }}
      strip={<FilmStrip />}
      run={<RunBar />}
    />
  );
}
