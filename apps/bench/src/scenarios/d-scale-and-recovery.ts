import { execFile } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { httpConnector } from "@mcp-pool/connector/http";
import { type Connector, McpConnectionManager, McpConnectionPool } from "@mcp-pool/core";
import { stdioTestServer } from "@mcp-pool/test-server";
import { createMcpPool } from "mcp-pool";
import { bundledSize, bundledSizeOf, PACKAGES } from "../bundled-size.ts";
import { nothing } from "../plain/mcp-pool-of-objects.ts";
import type { Contender, Scenario } from "../scenario.ts";
import { processorTimePerOperation } from "../time-per-operation.ts";

function callsOverPools(pools: number): Contender {
  return async (budgetMs) => {
    const names = Array.from({ length: pools }, (_, index) => `server-${index}`);
    const pool = { minConnections: 1, maxConnections: 1, validateOnAcquire: false };
    const servers = Object.fromEntries(names.map((name) => [name, { connector: nothing, pool }]));
    const manager = new McpConnectionManager({ servers, settings: { maxTotalConnections: pools } });
    await manager.warmUp();
    let next = 0;
    const time = await processorTimePerOperation(budgetMs, 10_000, async (operations) => {
      for (let call = 0; call < operations; call++) {
        await manager.callTool(names[next++ % pools] ?? "", { name: "any" });
      }
    });
    await manager.close();
    return time;
  };
}

const d1: Scenario = {
  id: "D1",
  title: "a call in turn over all pools of a manager, on fakes",
  unit: "ns",
  baseline: "1 pool",
  budgetMs: 1_500,
  contenders: { "1 pool": callsOverPools(1), "1 000 pools": callsOverPools(1_000) },
  fullOnly: "all",
  targets: [{ contender: "1 000 pools", against: ["1 pool"], atMost: 1.3 }],
};

/** Kills the process of the server under load, and looks at the calls after that. */
async function afterKill(): Promise<{ readonly recoveryMs: number; readonly lost: number }> {
  const manager = await createMcpPool({
    mcpServers: { files: stdioTestServer() },
    serverConfigs: { files: { trustAnnotations: true } },
    pool: { minConnections: 1, maxConnections: 1 },
  });
  await manager.warmUp();
  await manager.listTools("files");
  const call = () => manager.callTool("files", { name: "echo", arguments: { message: "again" } });
  const { content } = await manager.callTool("files", { name: "session-info", arguments: {} });
  const [first] = content as readonly { readonly text?: string }[];
  let lost = 0;
  const underWay = Array.from({ length: 8 }, () => call().catch(() => lost++));
  process.kill((JSON.parse(first?.text ?? "") as { readonly pid: number }).pid, "SIGKILL");
  const killedAt = performance.now();
  await Promise.all(underWay);
  await call();
  const recoveryMs = performance.now() - killedAt;
  await manager.close();
  return { recoveryMs, lost };
}

async function spawnAndCall(): Promise<number> {
  const startedAt = performance.now();
  const manager = await createMcpPool({ mcpServers: { files: stdioTestServer() } });
  await manager.callTool("files", { name: "echo", arguments: { message: "first" } });
  const tookMs = performance.now() - startedAt;
  await manager.close();
  return tookMs;
}

const d2: readonly Scenario[] = [
  {
    id: "D2/time",
    title: "a stdio server is killed: time to the next good answer",
    unit: "ms",
    baseline: "a spawn and a call",
    budgetMs: 0,
    contenders: {
      "a spawn and a call": spawnAndCall,
      "mcp-pool": async () => (await afterKill()).recoveryMs,
      "mcp-pool, beyond a spawn and a call": async () =>
        Math.max((await afterKill()).recoveryMs - (await spawnAndCall()), 0),
    },
    fullOnly: "all",
    targets: [{ contender: "mcp-pool, beyond a spawn and a call", against: [], atMost: 50 }],
  },
  {
    id: "D2/lost",
    title: "a stdio server is killed: read-only calls lost",
    unit: "count",
    baseline: "mcp-pool",
    budgetMs: 0,
    contenders: { "mcp-pool": async () => (await afterKill()).lost },
    fullOnly: "all",
    targets: [{ contender: "mcp-pool", against: [], atMost: 0 }],
  },
];

const DOWN_MS = 5_000;

/** Fifty callers keep asking for a server that nobody answers for. */
async function serverDown(): Promise<{ readonly delayMs: number; readonly connects: number }> {
  // Nothing listens on the discard port.
  const real = httpConnector({ url: "http://127.0.0.1:9/mcp" });
  let connects = 0;
  const connector: Connector = {
    ...real,
    connect: (request) => {
      connects++;
      return real.connect(request);
    },
  };
  const idle = monitorEventLoopDelay({ resolution: 1 });
  idle.enable();
  await delay(1_000);
  idle.disable();
  const manager = await createMcpPool(
    { mcpServers: { down: { url: "http://127.0.0.1:9/mcp" } } },
    { connector: () => connector },
  );
  const busy = monitorEventLoopDelay({ resolution: 1 });
  busy.enable();
  const endsAt = performance.now() + DOWN_MS;
  const ask = async () => {
    while (performance.now() < endsAt) {
      await manager.callTool("down", { name: "any" }, { timeoutMs: 500 }).catch(() => undefined);
      await delay(1);
    }
  };
  await Promise.all(Array.from({ length: 50 }, ask));
  busy.disable();
  await manager.close();
  return { delayMs: (busy.percentile(99) - idle.percentile(99)) / 1e6, connects };
}

const d3: readonly Scenario[] = [
  {
    id: "D3/delay",
    title: "a server is down for 5 s under load: event-loop delay p99, above idle",
    unit: "ms",
    baseline: "mcp-pool",
    budgetMs: 0,
    contenders: { "mcp-pool": async () => Math.max((await serverDown()).delayMs, 0) },
    fullOnly: "all",
    targets: [{ contender: "mcp-pool", against: [], atMost: 20 }],
  },
  {
    id: "D3/connects",
    title: "a server is down for 5 s under load: attempts to connect",
    unit: "count",
    baseline: "mcp-pool",
    budgetMs: 0,
    contenders: { "mcp-pool": async () => (await serverDown()).connects },
    fullOnly: "all",
    // 10 ms doubled up to 5 s, with jitter of a half, is 10 pauses in 5 s; the circuit opens before.
    targets: [{ contender: "mcp-pool", against: [], atMost: 20 }],
  },
];

const IMPORT = `const before = performance.now(); await import(process.argv[1]); console.log(performance.now() - before);`;

async function importMs(entry: string): Promise<number> {
  const args = ["--input-type=module", "-e", IMPORT, import.meta.resolve(entry)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

const d4: readonly Scenario[] = [
  {
    id: "D4/import",
    title: "time of an import in a fresh process",
    unit: "ms",
    baseline: "@mcp-pool/core",
    budgetMs: 0,
    contenders: { "@mcp-pool/core": () => importMs("@mcp-pool/core"), "mcp-pool": () => importMs("mcp-pool") },
    fullOnly: [],
    targets: [{ contender: "@mcp-pool/core", against: [], atMost: 10 }],
  },
  {
    id: "D4/size",
    title: "own code, minified and gzipped",
    unit: "bytes",
    baseline: "@mcp-pool/core",
    budgetMs: 0,
    contenders: {
      "@mcp-pool/core": () => bundledSize(["core"]),
      "mcp-pool": () => bundledSize(["mcp-pool"]),
      "all packages": () => bundledSize(PACKAGES),
      "McpConnectionPool of core alone": () => bundledSizeOf("core", "McpConnectionPool"),
      "McpConnectionManager of core alone": () => bundledSizeOf("core", "McpConnectionManager"),
    },
    fullOnly: "all",
    targets: [
      { contender: "@mcp-pool/core", against: [], atMost: 10_000 },
      { contender: "mcp-pool", against: [], atMost: 2_000 },
      { contender: "all packages", against: [], atMost: 40_000 },
    ],
  },
];

const CALLS = 1_000_000;

const d5: Scenario = {
  id: "D5",
  title: "growth of the heap over a million calls on fakes, per call",
  unit: "bytes",
  baseline: "mcp-pool",
  budgetMs: 0,
  contenders: {
    "mcp-pool": async () => {
      const pool = new McpConnectionPool(nothing, { maxConnections: 1 });
      const run = async (calls: number) => {
        for (let call = 0; call < calls; call++) {
          await pool.client.callTool({ name: "any" });
          if (call % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
        return process.memoryUsage().heapUsed;
      };
      const before = await run(CALLS / 10);
      const after = await run(CALLS);
      await pool.close();
      return Math.max(after - before, 0) / CALLS;
    },
  },
  fullOnly: "all",
  targets: [{ contender: "mcp-pool", against: [], atMost: 0.1 }],
};

export const scenarios: readonly Scenario[] = [d1, ...d2, ...d3, ...d4, d5];
