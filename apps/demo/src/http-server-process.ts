import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { ServerProgram } from "./server-program.ts";

const START_TIMEOUT_MS = 30_000;
const MAX_STARTS = 3;

/** An MCP server that listens in a process of its own. */
export class HttpServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #killNow: () => void;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#killNow = () => void child.kill("SIGKILL");
    this.url = url;
    // In case this process ends before it has cleaned up.
    process.once("exit", this.#killNow);
  }

  /** Starts the server on a free port, and waits until it listens. */
  static async start(program: ServerProgram, env: Readonly<Record<string, string>>): Promise<HttpServerProcess> {
    for (let start = 1; ; start++) {
      const port = await freePort();
      const child = spawn(program.command, program.args, {
        env: { ...process.env, ...env, PORT: String(port) },
        stdio: ["ignore", "ignore", "pipe"],
      });
      try {
        await listening(child);
        return new HttpServerProcess(child, `http://127.0.0.1:${port}/mcp`);
      } catch (error) {
        await end(child);
        // Somebody else may have taken the port meanwhile.
        if (start === MAX_STARTS) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
    process.off("exit", this.#killNow);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("there is no free port");
  return address.port;
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error("the HTTP server did not start in time")), START_TIMEOUT_MS);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the HTTP server exited with code ${code}: ${output}`));
    });
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      if (output.includes("listening on port")) return;
      output += chunk;
      if (!output.includes("listening on port")) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
