import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const GIVEN = fileURLToPath(new URL("given", import.meta.url));
const BASE = fileURLToPath(new URL("../../../tsconfig.base.json", import.meta.url));
const RUN_MS = 60_000;

/** A folder with the files of pages, where they find what they import, and the commands they start. */
export class PageFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "mcp-pool-guides-"));

  constructor() {
    cpSync(GIVEN, this.path, { recursive: true });
    symlinkSync(MODULES, join(this.path, "node_modules"));
    writeFileSync(join(this.path, "package.json"), JSON.stringify({ private: true, type: "module" }));
    // A reader's own project: strict, but no more than that.
    const compilerOptions = {
      noEmit: true,
      noUnusedLocals: false,
      noUnusedParameters: false,
      isolatedDeclarations: false,
    };
    const include = ["**/*.ts"];
    writeFileSync(join(this.path, "tsconfig.json"), JSON.stringify({ extends: BASE, compilerOptions, include }));
  }

  /** Writes files to a folder of their own. */
  write(name: string, files: ReadonlyMap<string, string>): void {
    for (const [file, code] of files) {
      const path = join(this.path, name, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, code);
    }
  }

  /** Returns what the compiler has to say about all programs; nothing, if they are right. */
  async typeErrors(): Promise<string> {
    return run(join(MODULES, ".bin/tsc"), ["-p", this.path], { cwd: this.path }).then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
  }

  /** Runs a program of a page, and returns what it prints. */
  program(name: string, file: string): Promise<string> {
    return this.#run(name, process.execPath, [file]);
  }

  /** Runs commands of a page, and returns what they print. */
  commands(name: string, code: string): Promise<string> {
    return this.#run(name, "bash", ["-euo", "pipefail", "-c", code]);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  async #run(name: string, command: string, args: readonly string[]): Promise<string> {
    const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith("MCP_") && key !== "NODE_OPTIONS");
    const PATH = [join(MODULES, ".bin"), dirname(process.execPath), process.env.PATH].join(delimiter);
    const NODE_COMPILE_CACHE = join(this.path, "compile-cache");
    const env = { ...Object.fromEntries(inherited), PATH, NODE_COMPILE_CACHE, NO_COLOR: "1" };
    const cwd = join(this.path, name);
    const { stdout } = await run(command, [...args], { cwd, env, timeout: RUN_MS, killSignal: "SIGKILL" });
    return stdout;
  }
}
