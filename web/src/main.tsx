import { createRoot } from "react-dom/client";

import { App } from "./App";
import { keepContract } from "./contract";
import "./look/base.css";
import { Boundary } from "./panels/Boundary";
import { begin } from "./state/starting";
import { useEditor } from "./state/store";

keepContract();
void begin(useEditor, new URLSearchParams(location.search));
useEditor.getState().connect();
useEditor.getState().keepPlan();

const root = document.getElementById("root");
if (root !== null)
  createRoot(root).render(
    <Boundary>
      <App />
    </Boundary>,
  );
