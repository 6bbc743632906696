import { createRoot } from "react-dom/client";

import { App } from "./App";
import "./look/base.css";
import { keepContract } from "./contract";
import { startSession } from "./state/session";
import { useEditor } from "./state/store";

keepContract();
void useEditor.getState().loadCatalogue();
void startSession(useEditor);
useEditor.getState().connect();
useEditor.getState().keepPlan();

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
