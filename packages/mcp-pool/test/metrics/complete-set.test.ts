import { type FakeClock, hang, judged, ok, type ScriptedConnector, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { circuitBreaker, health, type McpConnectionManager, otelMetrics, retry } from "../../src/index.ts";
import { codeOf, fullStack, settled } from "../full-stack.ts";
import { type Collected, meters, SDKS } from "./sdk.ts";

/** Everything that can happen to a pool, each once, on a fake clock. */
async function liveThroughEverything(manager: McpConnectionManager, connector: ScriptedConnector, clock: FakeClock) {
  const call = (name: string, options = {}) => settled(manager.callTool("files", { name }, options));
  connector.onConnect.always({ kind: "after", delayMs: 250, next: ok() });

  connector.onRequest.next({ kind: "after", delayMs: 100, next: ok() });
  const succeeded = call("read");
  await clock.advance(350);
  expect(succeeded.state).toBe("resolved");

  connector.onRequest.next(ok({ content: [], isError: true }));
  const refusedByTool = call("read");
  await clock.settle();
  expect(refusedByTool).toMatchObject({ state: "resolved", value: { isError: true } });

  connector.onRequest.next(judged("answered", "no", { cause: Object.assign(new Error("no"), { code: -32602 }) }));
  const invalid = call("read");
  await clock.settle();
  expect(invalid.error).toMatchObject({ code: -32602 });

  connector.onRequest.next(untilAborted());
  const late = call("read", { timeoutMs: 500 });
  await clock.advance(500);
  expect(codeOf(late)).toBe("TIMEOUT");

  // The connection is lost before the request is sent: one more try, on a new connection.
  await clock.advance(20_000);
  connector.onRequest.next(judged("not-sent", "lost"), ok());
  const retried = call("write");
  await clock.advance(250);
  expect(retried.state).toBe("resolved");

  const lease = await manager.acquire("files");
  const exhausted = settled(manager.acquire("files"));
  await clock.advance(1_000);
  expect(codeOf(exhausted)).toBe("POOL_EXHAUSTED");
  lease.release();

  connector.onProbe.next({ kind: "after", delayMs: 20, next: ok() });
  const check = settled(manager.checkHealth("files"));
  await clock.advance(20);
  expect(check.value).toMatchObject({ status: "healthy" });

  // Three failures open the circuit. Then a call is refused; a probe in the background opens a connection, and closes the circuit.
  await clock.advance(20_000);
  for (let failure = 0; failure < 3; failure++) {
    connector.onRequest.next(judged("outcome-unknown", "lost"));
    const lost = call("write");
    await clock.advance(20_000);
    expect(codeOf(lost)).toBe("OUTCOME_UNKNOWN");
  }
  expect(codeOf(await failed(call("write"), clock))).toBe("CIRCUIT_OPEN");
  await clock.advance(65_000);
  const afterwards = call("write");
  await clock.settle();
  expect(afterwards.state).toBe("resolved");

  // The last connection has been idle for too long.
  await clock.advance(400_000);
  expect(connector.live).toEqual([]);
}

async function failed<T>(outcome: T, clock: FakeClock): Promise<T> {
  await clock.settle();
  return outcome;
}

const READ = "mcp.method.name=tools/call gen_ai.tool.name=read gen_ai.operation.name=execute_tool";
const WRITE = "mcp.method.name=tools/call gen_ai.tool.name=write gen_ai.operation.name=execute_tool";

const histogram = (points: Collected[string]["points"]) => ({ unit: "s", kind: "histogram", points });
const counter = (unit: string, points: Collected[string]["points"]) => ({ unit, kind: "counter", points });
const gauge = (unit: string, points: Collected[string]["points"]) => ({ unit, kind: "gauge", points });

const EVERYTHING = {
  "mcp.client.operation.duration": histogram({
    [READ]: "1 in 0.1 s",
    [`${READ} error.type=tool_error`]: "1 in 0 s",
    [`${READ} error.type=-32602 rpc.response.status_code=-32602`]: "1 in 0 s",
    [`${READ} error.type=timeout`]: "1 in 0.5 s",
    [`${WRITE} error.type=not-sent`]: "1 in 0 s",
    [WRITE]: "2 in 0 s",
    [`${WRITE} error.type=outcome-unknown`]: "3 in 0 s",
  }),
  "mcp.client.session.duration": histogram({ "error.type=request-failed": "4 in 41.62 s", "": "1 in 360 s" }),
  "mcp_pool.connection.create_time": histogram({ "": "5 in 1.25 s" }),
  "mcp_pool.connection.wait_time": histogram({ "": "11 in 1 s", "error.type=POOL_EXHAUSTED": "1 in 1 s" }),
  "mcp_pool.connection.use_time": histogram({ "": "11 in 1.6 s" }),
  "mcp_pool.health_check.duration": histogram({ "": "2 in 0.27 s" }),
  "mcp_pool.connection.timeouts": counter("{timeout}", { "": 1 }),
  "mcp_pool.connection.closures": counter("{connection}", {
    "mcp_pool.connection.close_reason=request-failed": 4,
    "mcp_pool.connection.close_reason=idle": 1,
  }),
  "mcp_pool.circuit_breaker.transitions": counter("{transition}", {
    "mcp_pool.circuit_breaker.state=open": 1,
    "mcp_pool.circuit_breaker.state=half_open": 1,
    "mcp_pool.circuit_breaker.state=closed": 1,
  }),
  "mcp_pool.circuit_breaker.rejections": counter("{request}", { "": 1 }),
  "mcp_pool.request.retries": counter("{retry}", { "": 1 }),
  "mcp_pool.connection.count": gauge("{connection}", {
    "mcp_pool.connection.state=idle": 0,
    "mcp_pool.connection.state=used": 0,
    "mcp_pool.connection.state=connecting": 0,
    "mcp_pool.connection.state=draining": 0,
  }),
  "mcp_pool.connection.limit": gauge("{connection}", { "": 1 }),
  "mcp_pool.connection.idle.max": gauge("{connection}", { "": 1 }),
  "mcp_pool.connection.idle.min": gauge("{connection}", { "": 0 }),
  "mcp_pool.connection.pending_requests": gauge("{request}", { "": 0 }),
  "mcp_pool.circuit_breaker.status": gauge("1", {
    "mcp_pool.circuit_breaker.state=closed": 1,
    "mcp_pool.circuit_breaker.state=half_open": 0,
    "mcp_pool.circuit_breaker.state=open": 0,
  }),
  "mcp_pool.server.status": gauge("1", {
    "mcp_pool.server.state=healthy": 1,
    "mcp_pool.server.state=unhealthy": 0,
    "mcp_pool.server.state=unavailable": 0,
    "mcp_pool.server.state=unknown": 0,
  }),
};

describe.each(SDKS)("on SDK $line", ({ sdk }) => {
  async function scenario(isDelta: boolean) {
    const { provider, collect } = meters(sdk, isDelta);
    const stack = fullStack(["files"], {
      pool: { maxConnections: 1, maxRequestsPerConnection: 1, acquireTimeoutMs: 1_000, validateOnAcquire: false },
      plugins: [
        otelMetrics({ meterProvider: provider }),
        retry(),
        circuitBreaker({ failureThreshold: 3, recoveryTimeoutMs: 60_000, successThreshold: 1 }),
        health({ intervalMs: 3_600_000, timeoutMs: 1_000, successThreshold: 1 }),
      ],
    });
    return { ...stack, collect };
  }

  it("the complete set of metrics says what happened", async () => {
    const { manager, connector, clock, collect } = await scenario(false);
    await liveThroughEverything(manager, connector("files"), clock);
    expect(await collect()).toEqual(EVERYTHING);
    expect(await collect(), "cumulative figures stay").toEqual(EVERYTHING);
  });

  it("between two collections, deltas say what has happened since", async () => {
    const { manager, connector, clock, collect } = await scenario(true);
    await liveThroughEverything(manager, connector("files"), clock);
    expect(await collect()).toEqual(EVERYTHING);
    const quiet = await collect();
    expect(Object.entries(quiet).filter(([, { kind }]) => kind !== "gauge")).toEqual([]);
    expect(
      Object.values(quiet)
        .flatMap(({ points }) => Object.values(points))
        .filter((value) => value !== 0),
    ).toEqual([]);
    connector("files").onConnect.always(ok());
    const call = settled(manager.callTool("files", { name: "read" }));
    await clock.settle();
    expect(call.state).toBe("resolved");
    const later = await collect();
    expect(later["mcp.client.operation.duration"]?.points).toEqual({ [READ]: "1 in 0 s" });
    expect(later["mcp_pool.connection.count"]?.points).toMatchObject({ "mcp_pool.connection.state=idle": 1 });
    expect(later["mcp_pool.connection.timeouts"]).toBeUndefined();
  });

  it.each([false, true])("a closed pool reports zeros, not its last values (delta: %s)", async (isDelta) => {
    const { manager, connector, clock, collect } = await scenario(isDelta);
    connector("files").onRequest.next(hang());
    const running = settled(manager.callTool("files", { name: "read" }));
    await clock.settle();
    const before = await collect();
    expect(before["mcp_pool.connection.count"]?.points).toMatchObject({ "mcp_pool.connection.state=used": 1 });
    const closing = settled(manager.close({ drainTimeoutMs: 0 }));
    await clock.advance(1_000);
    expect([closing.state, running.state]).toEqual(["resolved", "rejected"]);
    const sums = new Map<string, number>();
    for (const collected of [before, await collect()]) {
      for (const [name, { kind, points }] of Object.entries(collected)) {
        if (kind !== "gauge") continue;
        for (const [attributes, value] of Object.entries(points)) {
          const key = `${name} ${attributes}`;
          sums.set(key, (isDelta ? (sums.get(key) ?? 0) : 0) + Number(value));
        }
      }
    }
    expect(
      [...sums].filter(([, value]) => value !== 0),
      "what is left",
    ).toEqual([]);
    expect(sums.size).toBe(4 + 4 + 3 + 4);
  });
});
