import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PACKAGES = ["core", "config", "connector", "breaker", "health", "metrics-otel", "agent-adapter", "mcp-pool"];
const FACADE = ["mcp-pool", "breaker", "config", "connector", "core", "health", "metrics-otel", "agent-adapter"];
const SERVER = "@modelcontextprotocol/server-everything";
const SETUP_MS = 420_000;
const RUN_MS = 120_000;

/** Each README's example: where it stands, how it begins, and what it needs beside the server it talks to. */
const EXAMPLES: readonly (readonly [
  file: string,
  mark: string,
  packages: readonly string[],
  peers: readonly string[],
])[] = [
  ["README.md", "quick-start.ts", FACADE, []],
  ["README.md", "await-using.ts", FACADE, []],
  ["packages/core/README.md", "core-only.ts", ["core", "connector"], ["@modelcontextprotocol/sdk"]],
  ["packages/breaker/README.md", "breaker.ts", ["core", "connector", "breaker"], ["@modelcontextprotocol/sdk"]],
  ["packages/health/README.md", "health.ts", ["core", "connector", "health"], ["@modelcontextprotocol/sdk"]],
  ["packages/connector/README.md", "both-eras.ts", ["core", "connector"], ["@modelcontextprotocol/client"]],
  [
    "packages/metrics-otel/README.md",
    "metrics.ts",
    ["core", "connector", "metrics-otel"],
    ["@modelcontextprotocol/sdk", "@opentelemetry/api@^1.10.0", "@opentelemetry/sdk-metrics@^3.1.1"],
  ],
  [
    "packages/metrics-otel/README.md",
    "collector.ts",
    ["core", "connector", "metrics-otel"],
    [
      "@modelcontextprotocol/sdk",
      "@opentelemetry/api@~1.9.1",
      "@opentelemetry/exporter-prometheus@0.223.0",
      "@opentelemetry/sdk-metrics@2.12.1",
    ],
  ],
  [
    "packages/agent-adapter/README.md",
    "agent-tools.ts",
    ["core", "connector", "agent-adapter"],
    ["@modelcontextprotocol/sdk"],
  ],
];

/** Returns the fenced block of a README that begins with the given file name as a comment. */
function example(file: string, mark: string): string {
  const readme = join(ROOT, file);
  const blocks = existsSync(readme) ? [...readFileSync(readme, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)] : [];
  const code = blocks.map(([, block]) => block ?? "").find((block) => block.startsWith(`// ${mark}\n`));
  if (code === undefined) throw new Error(`${file} has no block that begins with // ${mark}`);
  return code;
}

describe("the examples of the READMEs, in an empty folder with packed packages", () => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-pool-packed-"));
  const tarballs = new Map<string, string>();
  afterAll(() => rmSync(folder, { recursive: true, force: true }), SETUP_MS);

  beforeAll(async () => {
    for (const name of PACKAGES) {
      const destination = join(folder, "tarballs", name);
      const pnpm = join(ROOT, "node_modules/pnpm/bin/pnpm.cjs");
      const cwd = join(ROOT, "packages", name);
      await run(process.execPath, [pnpm, "pack", "--pack-destination", destination], { cwd });
      const [tarball] = readdirSync(destination);
      if (tarball === undefined) throw new Error(`${name} was not packed`);
      tarballs.set(name, join(destination, tarball));
    }
  }, SETUP_MS);

  /** Installs packages with npm as a user would, with the server that the examples start. */
  async function install(
    name: string,
    packages: readonly string[],
    peers: readonly string[],
    servers: readonly string[] = [SERVER],
  ): Promise<string> {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "package.json"), JSON.stringify({ name: "example", private: true, type: "module" }));
    const tarballsOf = packages.map((each) => tarballs.get(each) ?? "");
    const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    await run("npm", ["install", ...flags, ...tarballsOf, ...peers, ...servers], { cwd: own, timeout: SETUP_MS });
    return own;
  }

  it.each(EXAMPLES)("%s: %s runs as it stands", { timeout: SETUP_MS + RUN_MS }, async (file, mark, packages, peers) => {
    const code = example(file, mark);
    const own = await install(mark, packages, peers);
    writeFileSync(join(own, mark), code);
    // The server is in the folder; npx has no need of the network.
    const env = { ...process.env, npm_config_offline: "true" };
    const { stdout, stderr } = await run(process.execPath, [mark], { cwd: own, env, timeout: RUN_MS });
    expect(stdout).toContain("Echo: hi");
    expect(stderr).not.toMatch(/error/i);
    const installed = readdirSync(join(own, "node_modules/@mcp-pool")).sort();
    expect(installed).toEqual(packages.filter((each) => each !== "mcp-pool").sort());
    expect(existsSync(join(own, "node_modules/mcp-pool"))).toBe(packages.includes("mcp-pool"));
  });

  it("packages/config/README.md: one-configuration.ts runs as it stands, and brings nothing of weight", {
    timeout: SETUP_MS + RUN_MS,
  }, async () => {
    const mark = "one-configuration.ts";
    const own = await install(mark, ["config", "core"], [], []);
    writeFileSync(join(own, mark), example("packages/config/README.md", mark));
    const { stdout } = await run(process.execPath, [mark], { cwd: own, timeout: RUN_MS });
    expect(stdout).toBe("4 300000 10000\n");
    const installed = readdirSync(join(own, "node_modules")).filter((name) => !name.startsWith("."));
    expect(installed.sort()).toEqual(
      ["@mcp-pool", "chokidar", "fastest-levenshtein", "jsonc-parser", "readdirp", "yaml", "zod"].sort(),
    );
  });

  it("the facade's types are whole, however modules are resolved", { timeout: SETUP_MS + RUN_MS }, async () => {
    const own = await install("types", FACADE, ["@types/node@22"], []);
    const program = `${example("README.md", "await-using.ts")}
      await createMcpPool({}, { authProvider: () => undefined });
      // @ts-expect-error: what is no OAuth provider must not pass for one
      await createMcpPool({}, { authProvider: () => 42 });`;
    writeFileSync(join(own, "program.ts"), program);
    const strict = { strict: true, noEmit: true, skipLibCheck: false, target: "es2023", types: ["node"] };
    for (const [moduleResolution, module] of [
      ["nodenext", "nodenext"],
      ["bundler", "esnext"],
    ]) {
      const project = join(own, `tsconfig.${moduleResolution}.json`);
      const compilerOptions = { ...strict, module, moduleResolution };
      writeFileSync(project, JSON.stringify({ compilerOptions, files: ["program.ts"] }));
      const compiled = run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", project], {
        timeout: RUN_MS,
      });
      expect(await compiled.catch(({ stdout }: { stdout: string }) => ({ stdout }))).toMatchObject({ stdout: "" });
    }
  });

  it("the agent adapter alone brings no framework", { timeout: SETUP_MS + RUN_MS }, async () => {
    const own = await install("adapter-alone", ["agent-adapter", "core"], [], []);
    const program = `import { createPooledMcpTools } from "@mcp-pool/agent-adapter"; createPooledMcpTools("a");`;
    writeFileSync(join(own, "alone.mjs"), program);
    await expect(run(process.execPath, ["alone.mjs"], { cwd: own })).rejects.toThrow(/import "mcp-pool" first/);
    const installed = readdirSync(join(own, "node_modules")).filter((name) => !name.startsWith("."));
    expect(installed.sort()).toEqual(["@mcp-pool", "yaml"]);
  });
});
