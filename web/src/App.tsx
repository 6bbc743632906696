import { useEffect } from "react";

import { Canvas } from "./canvas/Canvas";
import { applyLook } from "./look/apply";
import { FormView } from "./panels/FormView";
import { Front } from "./panels/Front";
import { Inspector } from "./panels/Inspector";
import { ModelsPanel } from "./panels/ModelsPanel";
import { Settings } from "./panels/Settings";
import { Shell } from "./panels/Shell";
import { WorkflowsPanel } from "./panels/WorkflowsPanel";
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
    <>
      <Shell
        tabs={null}
        breadcrumb={null}
        canvas={
          <Front>
            <Canvas />
          </Front>
        }
        drawers={{
          nodes: null,
          workflows: <WorkflowsPanel />,
          models: <ModelsPanel />,
          gallery: null,
        }}
        sides={{ form: <FormView />, inspect: <Inspector /> }}
        strip={null}
        run={null}
      />
      <Settings />
    </>
  );
}
