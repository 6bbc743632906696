import { createRoot } from "react-dom/client";

import { App } from "./App";
import "./look/base.css";

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
