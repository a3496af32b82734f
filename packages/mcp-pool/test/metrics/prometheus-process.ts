import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../real-servers.ts";

const PROMETHEUS = process.env.PROMETHEUS_PATH ?? "prometheus";
const PROMTOOL = process.env.PROMTOOL_PATH ?? "promtool";

/** Whether both programs are there. */
export function hasPrometheus(): boolean {
  return [PROMETHEUS, PROMTOOL].every((program) => spawnSync(program, ["--version"]).status === 0);
}

/** What a program said, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs promtool. */
export function promtool(args: readonly string[], input = "", cwd: string = process.cwd()): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(PROMTOOL, args, { cwd }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}

/** One series, as Prometheus answers it. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A Prometheus of a test's own. */
export interface Prometheus {
  query(expression: string): Promise<readonly Sample[]>;
  /** Asks any other path below `/api/v1/`. */
  api(path: string): Promise<unknown>;
}

/** Starts a Prometheus that scrapes one address every 400 ms; it ends with the test. */
export async function startPrometheus(target: string, rules: readonly string[]): Promise<Prometheus> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "data"));
  const config = [
    "global: { scrape_interval: 400ms, scrape_timeout: 400ms, evaluation_interval: 200ms }",
    `rule_files: ${JSON.stringify(rules)}`,
    `scrape_configs: [{ job_name: pool, static_configs: [{ targets: [${JSON.stringify(target)}] }] }]`,
  ].join("\n");
  writeFileSync(join(folder, "prometheus.yml"), config);
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    PROMETHEUS,
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string };
    if (status !== "success") throw new Error(`${path}: ${error}`);
    return data;
  };
  const isReady = async () => (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.ok === true;
  for (let attempt = 0; !(await isReady()); attempt++) {
    if (attempt > 300 || child.exitCode !== null) throw new Error(`Prometheus did not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    api,
    query: async (expression) => {
      const { result } = (await api(`query?query=${encodeURIComponent(expression)}`)) as { result: readonly Sample[] };
      return result;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
