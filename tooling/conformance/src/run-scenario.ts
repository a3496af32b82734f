import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the suite found out about one client in one scenario. */
export interface Findings {
  /** How often each check passed, by its id. */
  readonly passed: ReadonlyMap<string, number>;
  /** Checks that failed, in the suite's words. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  /** Whether the suite is content as a whole: no check failed, and the client ended as it should. */
  readonly isPass: boolean;
}

/** One version of the suite, for protocol revisions up to one. */
export interface Suite {
  /** Name of the package, as it is installed here. */
  readonly package: string;
  readonly specVersion: "2025-11-25" | "2026-07-28";
}

/** Runs one scenario of the suite against a client program. */
export async function runScenario(suite: Suite, program: string, scenario: string): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), "mcp-pool-conformance-"));
  try {
    const command = `${process.execPath} ${fileURLToPath(new URL(`clients/${program}.ts`, import.meta.url))}`;
    const code = await run([
      programOf(suite),
      ...["client", "--command", command, "--scenario", scenario, "--output-dir", folder],
      // The suite takes many of its scenarios for those of a later revision, where it is told of one.
      ...(suite.specVersion === "2026-07-28" ? ["--spec-version", suite.specVersion] : []),
    ]);
    const [file] = globSync("**/checks.json", { cwd: folder });
    if (file === undefined) throw new Error(`the suite left no checks of ${scenario} for ${program}`);
    return read(JSON.parse(readFileSync(join(folder, file), "utf8")) as readonly Check[], code === 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names the client scenarios that the suite has for its revision, those of extensions only up to 2025-11-25. */
export function listScenarios(suite: Suite): readonly string[] {
  const { stdout } = spawnSync(process.execPath, [programOf(suite), "list"], { encoding: "utf8" });
  const [, section = ""] = /^Client scenarios.*\n((?: +- .*\n?)*)/m.exec(stdout) ?? [];
  const lines = section.matchAll(/^ *- (\S+) \[(.*)\]/gm);
  const all = [...lines].map(([, name = "", revisions = ""]) => ({ name, revisions: revisions.split(",") }));
  const isModern = suite.specVersion === "2026-07-28";
  return all.filter(({ revisions }) => !isModern || revisions.includes(suite.specVersion)).map(({ name }) => name);
}

function programOf(suite: Suite): string {
  return fileURLToPath(import.meta.resolve(`${suite.package}/dist/index.js`));
}

interface Check {
  readonly id: string;
  readonly description: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string | undefined;
}

function read(checks: readonly Check[], isPass: boolean): Findings {
  const passed = new Map<string, number>();
  for (const { id, status } of checks) if (status === "SUCCESS") passed.set(id, (passed.get(id) ?? 0) + 1);
  const texts = (wanted: Check["status"]) =>
    checks
      .filter(({ status }) => status === wanted)
      .map(({ id, description, errorMessage }) => `${id}: ${errorMessage ?? description}`);
  return { passed, failures: texts("FAILURE"), warnings: texts("WARNING"), isPass };
}

function run(args: readonly string[]): Promise<number | null> {
  const isShown = process.env.CONFORMANCE_OUTPUT === "1";
  const child = spawn(process.execPath, args, { stdio: ["ignore", ...outputs(isShown)] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

/** With `CONFORMANCE_OUTPUT=1` the suite's own words are shown. */
function outputs(isShown: boolean): ["inherit", "inherit"] | ["ignore", "ignore"] {
  return isShown ? ["inherit", "inherit"] : ["ignore", "ignore"];
}
