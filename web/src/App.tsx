import { useEffect } from "react";

import { Canvas } from "./canvas/Canvas";
import { useDrops } from "./canvas/useDrops";
import { useKeys } from "./canvas/useKeys";
import { applyLook } from "./look/apply";
import { Banner } from "./panels/Banner";
import { Boundary } from "./panels/Boundary";
import { Breadcrumb } from "./panels/Breadcrumb";
import { FilmStrip } from "./panels/FilmStrip";
import { FormView } from "./panels/FormView";
import { Front } from "./panels/Front";
import { Gallery } from "./panels/Gallery";
import { Inspector } from "./panels/Inspector";
import { ModelsPanel } from "./panels/ModelsPanel";
import { NodeLibrary } from "./panels/NodeLibrary";
import { Overlays } from "./panels/Overlays";
import { RunBar } from "./panels/RunBar";
import { Settings } from "./panels/Settings";
import { Shell } from "./panels/Shell";
import { TabStrip } from "./panels/TabStrip";
import { WorkflowsPanel } from "./panels/WorkflowsPanel";
import { Stage } from "./Stage";
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
  useDrops();
  return (
    <>
      <Shell
        tabs={<TabStrip />}
        banner={<Banner />}
        breadcrumb={<Breadcrumb />}
        canvas={
          <>
            <Boundary>
              <Front>
                <Canvas />
              </Front>
              <Stage />
            </Boundary>
          </>
        }
        drawers={{
          nodes: <NodeLibrary />,
          workflows: <WorkflowsPanel />,
          models: <ModelsPanel />,
          gallery: <Gallery />,
        }}
        sides={{
          form: (
            <Boundary>
              <FormView />
            </Boundary>
          ),
          inspect: (
            <Boundary>
              <Inspector />
            </Boundary>
          ),
        }}
        strip={<FilmStrip />}
        run={<RunBar />}
      />
      <Settings />
      <Overlays />
    </>
  );
}
