import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundledSize, gzippedSize, PACKAGES, packageFile } from "../bundled-size.ts";

/**
 * Shows what the size of our packages is made of (scenario D4): what each part takes, minified and gzipped, and what is left
 * without it and all parts above it. A part is left out by bundling its files without their content, so that what is left is
 * a floor for whoever keeps the rest. Run it with `node apps/bench/src/floors/size.ts`; `--write` puts it into
 * `docs/performance.md`.
 */
const CORE = {
  "the manager of several servers": [
    "manager",
    "managed-server",
    "manager-options",
    "manager-events",
    "manager-stats",
    "server-registry",
    "server-health",
    "derived-pools",
    "config-translator",
    "degradation",
    "circuit-fallback",
    "process-managers",
    "identity-required",
    "mcp-tools-lease",
  ],
  "how large a pool should be": ["sizing/explain-pool-size", "sizing/erlang-c"],
  "the typed client, lists of tools, subscriptions": [
    "client",
    "tool-list",
    "resource-subscriptions",
    "session-logging",
    "logging-levels",
  ],
  "answers to what servers ask": ["client-handlers", "handler-router", "roots-changes"],
  "limits of servers and tools, the global cap": ["capacity", "budget-line", "tool-bulkheads"],
  "sticky keys": ["sticky-line", "sticky-keys"],
  "idle time, lifetime, leaks": ["idle-timeout", "max-lifetime", "leak-detector", "recycler"],
  "checks of options, and the words of errors": [
    "options",
    "request-options",
    "errors",
    "request-errors",
    "wait-errors",
  ],
  "figures and events": ["stats", "pool-metrics", "event-hub", "coarse-time"],
  "plugins, identities, headers": ["plugin-host", "pool-control", "resolvable"],
  "probes of connections": ["checker", "connection-watch"],
  "opening, growing, closing": ["opener", "growth", "warm-up", "closer", "server-state"],
  "a request: attempts, deadlines, aborts": [
    "request-path",
    "request-records",
    "attempt",
    "declared-safe",
    "abort-watch",
  ],
  "who waits, and until when": ["wait-queue", "waiter", "deadline-wheel"],
};

const FACADE = {
  "the event log": ["event-log", "logger"],
  "the manager of the process": ["process-manager"],
  "connectors and credentials from a configuration": ["server-definition", "sdk", "comparable"],
  "checks of the options": ["check-options"],
  "plugins from a configuration": ["resilience", "metrics", "paths-of-issues"],
};

const kB = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`;

/** Bundles a package from its sources, some of which are emptied: they give out the same names, with nothing behind them. */
function sizeWithout(packageName: string, modules: readonly string[]): Promise<number> {
  const emptied = new Set(modules.map((module) => packageFile(packageName, `src/${module}.ts`)));
  const missing = [...emptied].filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`A part names files that are not there: ${missing.join(", ")}`);
  const entries = packageName === "core" ? ["index", "sizing/index"] : ["index"];
  return gzippedSize({
    input: entries.map((entry) => packageFile(packageName, `src/${entry}.ts`)),
    plugins: [{ name: "without", load: (path) => (emptied.has(path) ? namesOnly(path) : undefined) }],
  });
}

function namesOnly(path: string): string {
  const names = readFileSync(path, "utf8").matchAll(/^export (?:async )?(?:class|function\*?|const) (\w+)/gm);
  return `export let ${[...names].map(([, name]) => name).join(", ")};`;
}

async function tableOf(packageName: string, parts: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const whole = await sizeWithout(packageName, []);
  const rows = [];
  const gone: string[] = [];
  for (const [part, modules] of Object.entries(parts)) {
    gone.push(...modules);
    const [alone, left] = await Promise.all([sizeWithout(packageName, modules), sizeWithout(packageName, gone)]);
    rows.push(`| ${part} | ${kB(whole - alone)} | ${kB(left)} |`);
  }
  return [
    `| part of \`${packageName}\` | takes | left |`,
    "| --- | ---: | ---: |",
    `| all | | ${kB(whole)} |`,
    ...rows,
  ].join("\n");
}

async function packageTable(): Promise<string> {
  const sizes = await Promise.all(PACKAGES.map((name) => bundledSize([name])));
  const rows = PACKAGES.map((name, index) => `| \`${name}\` | ${kB(sizes[index] ?? 0)} |`);
  return ["| package | size |", "| --- | ---: |", ...rows].join("\n");
}

const tables = [await packageTable(), await tableOf("core", CORE), await tableOf("mcp-pool", FACADE)].join("\n\n");
console.log(tables);

if (process.argv.includes("--write")) {
  const page = fileURLToPath(new URL("../../../../docs/performance.md", import.meta.url));
  const text = readFileSync(page, "utf8");
  const written = text.replace(
    /(<!-- sizes -->)[\s\S]*?(<!-- \/sizes -->)/,
    (_all, open, close) => `${open}\n\n${tables}\n\n${close}`,
  );
  if (!text.includes("<!-- sizes -->")) throw new Error("docs/performance.md has no <!-- sizes --> to write between");
  writeFileSync(page, written);
}
