import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where the server that answers during development is; `npm run dev` passes its paths on. */
const server = process.env["DARKROOM_SERVER"] ?? "http://127.0.0.1:8188";

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: { outDir: "../server/editor", emptyOutDir: true, target: "es2022" },
  server: { proxy: { "/api": { target: server, ws: true } } },
});
