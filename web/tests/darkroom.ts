/** A server of one's own: a real process over a data folder that goes with it. */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");
const PATIENCE = 60_000;

export interface Kind {
  /** The Python package with the node types; Darkroom's own by default. */
  readonly nodes?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Darkroom {
  readonly data = mkdtempSync(join(tmpdir(), "darkroom-e2e-"));
  url = "";
  private process: ChildProcess | null = null;
  private log = "";

  constructor(private readonly kind: Kind = {}) {
    if (!existsSync(join(ROOT, "server/editor/index.html"))) {
      throw new Error("The editor is not built: `npm run build` in web/.");
    }
  }

  /** Start, on the port of before if there was one. */
  async start(): Promise<this> {
    const python = process.env["PYTHON"] ?? "python3";
    const port = this.url === "" ? "0" : new URL(this.url).port;
    const child = spawn(python, ["-m", "server", "serve", "--port", port, "--no-browser"], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        OMP_NUM_THREADS: "1",
        DARKROOM_DATA: this.data,
        DARKROOM_LOG_LEVEL: "warning",
        ...(this.kind.nodes === undefined ? {} : { DARKROOM_NODES: this.kind.nodes }),
        ...this.kind.environment,
      },
    });
    this.process = child;
    child.stderr.on("data", (data: Buffer) => (this.log += data.toString()));
    this.url = await new Promise((found, failed) => {
      const late = setTimeout(
        () => failed(new Error(`No server after 60 s.\n${this.log}`)),
        PATIENCE,
      );
      createInterface(child.stdout).on("line", (line) => {
        const address = / (https?:\S+)$/.exec(line)?.[1];
        if (address === undefined) return;
        clearTimeout(late);
        found(address);
      });
      child.once("exit", (code) => {
        clearTimeout(late);
        failed(new Error(`The server ended with ${String(code)}.\n${this.log}`));
      });
    });
    return this;
  }

  /** End it as a crash would; the data stay for the next start. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** End it in order. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** End it and remove its data. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** The JSON of an answer. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { "Content-Type": "application/json", "If-Match": "*" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  private async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.process;
    this.process = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
}
