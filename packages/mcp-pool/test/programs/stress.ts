/**
 * A program that calls real servers while their processes are hurt, and tells what became of every call and what is left.
 * By hand, after a build: `node --expose-gc packages/mcp-pool/test/programs/stress.ts '{"workMs":20000}'`
 */
import { getEventListeners } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import type { PoolControl, PoolPlugin } from "@mcp-pool/core";
import { isProcessRunning, readLedger, stdioTestServer } from "@mcp-pool/test-server";
import { createMcpPool, type McpPoolManager } from "mcp-pool";

/** What the stress was told to do; all times in milliseconds. */
interface Orders {
  readonly workMs: number;
  readonly reportPath?: string;
}

/** What the stress found. */
export interface StressReport {
  readonly calls: number;
  /** Calls by how they ended. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly hurts: Readonly<Record<string, number>>;
  readonly processes: number;
  /** Calls that settled later than their deadline allows, or never. */
  readonly late: readonly string[];
  /** Calls that ran twice, or ran though they were reported as not sent, or did not run though they were answered. */
  readonly wrong: readonly string[];
  readonly left: {
    readonly processes: number;
    readonly files: number;
    readonly listeners: number;
    readonly timers: number;
  };
  readonly heapGrowthBytes: number;
}

interface Call {
  readonly key: string;
  outcome: string;
  isNotSent: boolean;
  tookMs: number;
}

const SERVERS = ["shared", "exclusive"] as const;
const CALLERS = 32;
const CALL_MS = 1_500;
const HURT_EVERY_MS = 300;
const STOPPED_MS = 2_000;
/** How late a call may settle beyond its deadline, on top of the time for which the event loop was held up. */
const SLACK_MS = 250;

const { workMs, reportPath }: Orders = JSON.parse(process.argv[2] ?? '{"workMs":20000}');
const collectGarbage = globalThis.gc ?? (() => {});
const folder = mkdtempSync(join(tmpdir(), "mcp-pool-stress-"));

// The first round fills the caches of the runtime: what it leaves is the baseline of the second.
await round(2_000);
const before = await rest();
const { calls, hurts, lagMs, ledgerPath, listeners } = await round(workMs);
const report = judge(calls, hurts, lagMs, ledgerPath);
calls.length = 0;
const after = await rest();
rmSync(folder, { recursive: true, force: true });
const left = {
  processes: report.running,
  files: after.files - before.files,
  listeners: listeners + after.listeners - before.listeners,
  timers: after.timers - before.timers,
};
const { running: _running, ...found } = report;
const text = JSON.stringify({ ...found, left, heapGrowthBytes: after.heap - before.heap } satisfies StressReport);
if (reportPath === undefined) console.log(text);
else writeFileSync(reportPath, text);

/** Calls both servers from all callers for a while, hurts their processes meanwhile, and closes. */
async function round(durationMs: number) {
  const ledgerPath = join(folder, `ledger-${durationMs}`);
  const controls: PoolControl[] = [];
  const spy: PoolPlugin = {
    name: "spy",
    install(control) {
      controls.push(control);
      return {};
    },
  };
  const server = stdioTestServer({ TEST_SERVER_LEDGER: ledgerPath });
  // Every process is hurt soon, so that the pool's own back-off would leave little to call.
  const connectBackoff = { initialDelayMs: 10, maxDelayMs: 100 };
  const manager = await createMcpPool(
    {
      mcpServers: { shared: server, exclusive: server },
      pool: { minConnections: 0, maxConnections: 4, connectionTimeoutMs: CALL_MS },
      serverConfigs: {
        shared: { pool: { maxRequestsPerConnection: 6 } },
        exclusive: { pool: { sharing: "exclusive" } },
      },
      // Circuits would open, as they should, and most calls would be refused rather than hurt.
      settings: { enableCircuitBreakers: false },
    },
    { plugins: [spy], connector: () => ({ ...stdioConnector(server), connectBackoff }) },
  );
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const calls: Call[] = [];
  const hurts: Record<string, number> = {};
  const endsAt = performance.now() + durationMs;
  const signals = Array.from({ length: CALLERS }, () => new AbortController().signal);
  const callers = signals.map((signal, index) => callUntil(manager, index, signal, endsAt, calls));
  await Promise.all([...callers, hurtUntil(manager, controls, endsAt, hurts)]);
  await manager.close({ drainTimeoutMs: 500 });
  lag.disable();
  const listeners = signals.reduce((sum, signal) => sum + getEventListeners(signal, "abort").length, 0);
  return { calls, hurts, lagMs: lag.max / 1e6, ledgerPath, listeners };
}

async function callUntil(manager: McpPoolManager, caller: number, signal: AbortSignal, endsAt: number, calls: Call[]) {
  const server = SERVERS[caller % SERVERS.length] ?? "shared";
  for (let number = 0; performance.now() < endsAt; number++) {
    const call: Call = { key: `${caller}.${number}`, outcome: "never settled", isNotSent: false, tookMs: Infinity };
    calls.push(call);
    const startedAt = performance.now();
    const isImpatient = Math.random() < 0.1;
    const own = isImpatient ? AbortSignal.any([signal, AbortSignal.timeout(Math.floor(Math.random() * 100))]) : signal;
    const args = { key: call.key, delayMs: Math.random() * 100 };
    try {
      await manager.callTool(server, { name: "count", arguments: args }, { timeoutMs: CALL_MS, signal: own });
      call.outcome = "ok";
    } catch (error) {
      const { code, outcome } = error as { code?: unknown; outcome?: string };
      call.outcome =
        own.aborted && own.reason === error ? "aborted" : `${code}${outcome === undefined ? "" : ` (${outcome})`}`;
      call.isNotSent = code === "CONNECTION_FAILED" || code === "POOL_EXHAUSTED" || outcome === "not-sent";
      // A caller that is refused at once does not ask again at once.
      await delay(10);
    }
    call.tookMs = performance.now() - startedAt;
  }
}

async function hurtUntil(
  manager: McpPoolManager,
  controls: readonly PoolControl[],
  endsAt: number,
  hurts: Record<string, number>,
) {
  const stopped: Promise<void>[] = [];
  const ways: Readonly<Record<string, () => void>> = {
    SIGKILL: () => void signalSomebody("SIGKILL"),
    "SIGSTOP, SIGCONT": () => {
      const pid = signalSomebody("SIGSTOP");
      if (pid !== undefined) stopped.push(delay(STOPPED_MS).then(() => void signal(pid, "SIGCONT")));
    },
    "stdout closed": () => tell("close-stdout", {}),
    "garbage, a line": () => tell("garbage", { kind: "line" }),
    "garbage, half a line": () => tell("garbage", { kind: "half-line" }),
    "garbage, an unknown answer": () => tell("garbage", { kind: "unknown-response" }),
    "garbage, a flood": () => tell("garbage", { kind: "flood" }),
  };
  const told: Promise<unknown>[] = [];
  const tell = (name: string, args: Readonly<Record<string, unknown>>) => {
    const server = SERVERS[told.length % SERVERS.length] ?? "shared";
    told.push(manager.callTool(server, { name, arguments: args }, { timeoutMs: CALL_MS }).catch(() => {}));
  };
  const signalSomebody = (name: NodeJS.Signals) => {
    const pids = controls.flatMap((control) => [...control.connections()].map(({ endpoint }) => endpoint.processId));
    const pid = pids[Math.floor(Math.random() * pids.length)];
    if (pid !== undefined) signal(pid, name);
    return pid;
  };
  while (performance.now() < endsAt) {
    await delay(HURT_EVERY_MS);
    const [name, hurt] = Object.entries(ways)[Math.floor(Math.random() * Object.keys(ways).length)] ?? [];
    if (name === undefined || hurt === undefined) continue;
    hurt();
    hurts[name] = (hurts[name] ?? 0) + 1;
  }
  await Promise.all([...stopped, ...told]);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Compares what callers were told with what the servers' ledger says. */
function judge(calls: readonly Call[], hurts: Readonly<Record<string, number>>, lagMs: number, ledgerPath: string) {
  const { counts, processes } = readLedger(ledgerPath);
  const outcomes: Record<string, number> = {};
  const late: string[] = [];
  const wrong: string[] = [];
  for (const { key, outcome, isNotSent, tookMs } of calls) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (tookMs > CALL_MS + SLACK_MS + lagMs) late.push(`${key} took ${Math.round(tookMs)} ms: ${outcome}`);
    const { started = 0, ended = 0 } = counts[key] ?? {};
    if (started > 1) wrong.push(`${key} ran ${started} times: ${outcome}`);
    if (isNotSent && started > 0) wrong.push(`${key} ran, and was reported as not sent: ${outcome}`);
    if (outcome === "ok" && ended !== 1) wrong.push(`${key} was answered, and did not run`);
  }
  const running = processes.filter(isProcessRunning).length;
  return { calls: calls.length, outcomes, hurts, processes: processes.length, late, wrong, running };
}

/** Waits until nothing is under way any more, and measures. */
async function rest() {
  let files = Infinity;
  // The system closes pipes in its own time.
  for (let turn = 0; turn < 20; turn++) {
    await delay(50);
    files = readdirSync("/proc/self/fd").length;
  }
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await new Promise(setImmediate);
  }
  const resources = process.getActiveResourcesInfo();
  return {
    files,
    timers: resources.filter((name) => name === "Timeout").length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    heap: process.memoryUsage().heapUsed,
  };
}
