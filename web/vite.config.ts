import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where the server that answers during development is; `npm run dev` passes its paths on. */
const server = process.env["DARKROOM_SERVER"] ?? "http://127.0.0.1:8188";

/** Puts a packed copy beside each text, so that the server need not pack it for every visitor. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir = "." }) {
      const names = readdirSync(dir, { recursive: true, encoding: "utf8" });
      for (const name of names.filter((each) => /[.](html|js|css|svg|json)$/.test(each))) {
        const text = readFileSync(join(dir, name));
        if (text.length > 1024)
          writeFileSync(`${join(dir, name)}.gz`, gzipSync(text, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [react(), packed()],
  build: {
    outDir: "../server/editor",
    assetsDir: "editor",
    emptyOutDir: true,
    target: "es2022",
    // The server's content policy refuses fonts and the like that stand in the text itself.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
  },
  server: { proxy: { "/api": { target: server, ws: true }, "/login": server, "/logout": server } },
});
