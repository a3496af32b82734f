import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stdioConnector } from "@mcp-pool/connector/stdio";
import { readLedger, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createMcpPool,
  type McpPoolError,
  type McpPoolManager,
  type PoolConfig,
  type PoolEvent,
  retry,
} from "../src/index.ts";
import { CALL_KINDS, type CallKind, type Cell, EXPECTED, type ExpectedRow } from "./fault-matrix/expected-cells.ts";
import { faultsPage, type MeasuredRow } from "./fault-matrix/faults-page.ts";
import { HTTP_FAULTS, RestartableServer, STDIO_FAULTS } from "./fault-matrix/provoke.ts";
import { eventually, temporaryFolder } from "./real-servers.ts";

const PAGE = new URL("../../../docs/faults.md", import.meta.url);
const DEADLINE_MS = 30_000;
const PAUSE_MS = 300;
const pause = { duration: PAUSE_MS, next: () => pause };

const POOL: PoolConfig = {
  minConnections: 0,
  maxConnections: 3,
  attemptTimeoutMs: 1_500,
  requestTimeoutMs: DEADLINE_MS,
  healthCheck: { enabled: false },
};

/** Retries with a pause that is always the same; it takes the place of the built-in plugin of the same name. */
const PLUGINS = () => [retry({ backoff: pause })];

/** The tool that each kind of call runs, and what its caller says. */
const TOOLS: Readonly<Record<CallKind, { readonly name: string; readonly idempotent: boolean | undefined }>> = {
  read: { name: "count-read-only", idempotent: undefined },
  idempotent: { name: "count", idempotent: true },
  unsafe: { name: "count", idempotent: undefined },
};

const measured = new Map<string, MeasuredRow>();

/** Makes one call, and says what its caller saw, and what became of the connection and the breaker. */
async function call(
  manager: McpPoolManager,
  kind: CallKind,
  args: Readonly<Record<string, unknown>>,
  during: () => unknown,
): Promise<{
  sees: string;
  attempts: number;
  row: Pick<ExpectedRow, "judgement" | "connection" | "breaker">;
  tookMs: number;
}> {
  const events: PoolEvent[] = [];
  manager.subscribe((event) => events.push(event));
  const { name, idempotent } = TOOLS[kind];
  const startedAt = performance.now();
  const pending = manager.callTool("server", { name, arguments: args }, { idempotent }).then(
    () => "answer",
    (error: McpPoolError) => String(error.code),
  );
  await during();
  const sees = await pending;
  const tookMs = performance.now() - startedAt;
  const calls = events.filter((event) => event.type === "request-finished" && event.method === "tools/call");
  const [first] = calls;
  if (first?.type !== "request-finished") throw new Error("nothing was sent");
  const is = (type: PoolEvent["type"]) =>
    events.some((event) => event.type === type && "connectionId" in event && event.connectionId === first.connectionId);
  if (is("connection-suspected")) await eventually(() => is("connection-cleared") || is("connection-closed"), 3_000);
  const isReplaced = is("connection-closed") || is("connection-retired");
  const isSetAside = is("connection-suspected") && !is("connection-cleared");
  const { lastFailureTime } = manager.circuitBreaker("server").getStats();
  return {
    sees,
    attempts: 1 + events.filter(({ type }) => type === "request-retried").length,
    row: {
      judgement: first.judgement,
      connection: isReplaced ? "replaced" : is("session-renewed") ? "renewed" : isSetAside ? "set aside" : "kept",
      breaker: lastFailureTime === undefined ? "does not count" : "counts",
    },
    tookMs,
  };
}

async function overStdio(fault: string, kind: CallKind) {
  const ledger = join(temporaryFolder(), "ledger");
  const server = stdioTestServer({ TEST_SERVER_LEDGER: ledger });
  const manager = await createMcpPool(
    { mcpServers: { server }, pool: POOL, serverConfigs: { server: { trustAnnotations: true } } },
    {
      plugins: PLUGINS,
      connector: () =>
        stdioConnector({ ...server, maxLineBytes: 1024 * 1024, closeTimeouts: { stdinEndMs: 100, terminateMs: 100 } }),
    },
  );
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  const args = { key: "k", misbehave: STDIO_FAULTS[fault], misbehaveTimes: 1 };
  const outcome = await call(manager, kind, args, () => {});
  return { ...outcome, runs: readLedger(ledger).counts.k?.started ?? 0 };
}

async function overHttp(fault: string, kind: CallKind) {
  const { before, delayMs, during, restarts } = HTTP_FAULTS[fault] ?? {};
  const server = await RestartableServer.start();
  onTestFinished(() => server.current.close());
  const manager = await createMcpPool(
    {
      mcpServers: { server: { url: server.current.url.href } },
      pool: POOL,
      serverConfigs: { server: { trustAnnotations: true } },
    },
    { plugins: PLUGINS },
  );
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  await manager.callTool("server", { name: "echo", arguments: { message: "first" } });
  await before?.(server.current);
  const { isBack } = restarts ? await server.stopFor(PAUSE_MS / 2) : { isBack: undefined };
  const outcome = await call(manager, kind, { key: "k", ...(delayMs !== undefined && { delayMs }) }, async () => {
    if (during === undefined) return;
    expect(await eventually(() => (server.current.stats().executions.k?.started ?? 0) > 0)).toBe(true);
    during(server.current);
  });
  await isBack;
  return { ...outcome, runs: server.current.stats().executions.k?.started ?? 0 };
}

describe.each(EXPECTED.map((row) => [row.fault, row] as const))("%s", (fault, expected) => {
  const cells = new Map<CallKind, Cell>();

  it.each(CALL_KINDS)("meets a call that is %s as expected", { timeout: 120_000 }, async (kind) => {
    const outcome = await (expected.transport === "stdio" ? overStdio(fault, kind) : overHttp(fault, kind));
    const wanted = kind === "unsafe" ? expected.unsafe : expected.safe;
    const cell = { sees: outcome.sees, attempts: Math.min(outcome.attempts, 2), runs: outcome.runs };
    expect(cell).toEqual(wanted);
    const { judgement, connection, breaker } = expected;
    expect(outcome.row).toEqual({ judgement, connection, breaker });
    if (kind === "unsafe") expect(outcome.runs, "no unsafe tool runs twice").toBeLessThanOrEqual(1);
    expect(outcome.tookMs, "no call outlasts its deadline").toBeLessThan(DEADLINE_MS + 1_000);
    cells.set(kind, cell);
    const [read, idempotent, unsafe] = CALL_KINDS.map((each) => cells.get(each));
    if (read === undefined || idempotent === undefined || unsafe === undefined) return;
    measured.set(fault, { ...expected, ...outcome.row, read, safe: idempotent, unsafe });
  });
});

describe("docs/faults.md", () => {
  it("says what was found", () => {
    const rows = EXPECTED.flatMap(({ fault }) => measured.get(fault) ?? []);
    expect(rows).toHaveLength(EXPECTED.length);
    const page = faultsPage(rows);
    if (process.env.UPDATE_FAULTS === "1") writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, "utf8")).toBe(page);
  });
});
