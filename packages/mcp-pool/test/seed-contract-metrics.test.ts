import { judged, ok, ScriptedConnector } from "@mcp-pool/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type CreateMcpPoolOptions,
  createMcpPool,
  getMcpConnectionManager,
  getMetricsCollector,
  type McpMetricsCollector,
  type McpPoolConfig,
  shutdownMcpConnectionManager,
} from "../src/index.ts";

const ECHO = { name: "echo" };

async function scripted(config: McpPoolConfig = {}, env: CreateMcpPoolOptions["env"] = {}) {
  const connector = new ScriptedConnector();
  const manager = await createMcpPool(
    { mcpServers: { a: { command: "a" }, b: { command: "b" } }, pool: { minConnections: 1 }, ...config },
    { env, connector: () => connector },
  );
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return { manager, connector };
}

/** The keys of an object, and of the objects in it, one level down. */
function keysOf(value: object): Readonly<Record<string, readonly string[]>> {
  const blocks = Object.entries(value).filter(([, block]) => typeof block === "object" && !Array.isArray(block));
  return Object.fromEntries(blocks.map(([name, block]) => [name, Object.keys(block as object).sort()]));
}

const TIMING = ["avgMs", "count", "maxMs", "p50Ms", "p95Ms", "p99Ms"];

describe("the collector's figures", () => {
  it("have the shape of the contract, and are ready for JSON", async () => {
    const { manager } = await scripted();
    await manager.callTool("a", ECHO);
    const all = manager.metrics.getAllMetrics();
    expect(Object.keys(all)).toEqual(["timestamp", "global", "servers"]);
    expect(Object.keys(all.servers)).toEqual(["a", "b"]);
    expect(Object.keys(all.global).sort()).toEqual(
      [
        "maxTotalConnections",
        "totalConnections",
        "totalErrors",
        "totalRequests",
        "totalServers",
        "uptimeSeconds",
      ].sort(),
    );
    expect(keysOf(all.servers.a ?? {})).toEqual({
      connections: ["active", "connecting", "failed", "idle", "max", "min", "total", "waiting"],
      lifecycle: ["borrowed", "created", "destroyed", "returned"],
      poolPerformance: ["hitRatio", "hits", "missRatio", "misses", "peakActive", "utilizationPercent"],
      timing: ["acquire", "create", "healthCheck", "request"],
      health: [
        "checksFailed",
        "checksPerformed",
        "consecutiveFailures",
        "errorRatePercent",
        ...(Object.hasOwn(all.servers.a?.health ?? {}, "lastCheck") ? ["lastCheck"] : []),
        "status",
      ],
      errors: ["circuitOpen", "connection", "poolExhausted", "timeout", "tool", "validation"],
      circuitBreaker: ["failureCount", "open", "secondsInState", "state", "tripCount"],
    });
    for (const timing of Object.values(all.servers.a?.timing ?? {})) expect(Object.keys(timing).sort()).toEqual(TIMING);
    expect(manager.metrics.getServerMetrics("a")).toMatchObject({
      lifecycle: { created: 1, borrowed: 1, returned: 1 },
    });
    expect(manager.metrics.getServerMetrics("none")).toBeUndefined();
    expect(JSON.parse(manager.metrics.exportMetrics("json")).servers.a.lifecycle.borrowed).toBe(1);
  });

  it("are spelled as in the document on request", async () => {
    const { manager } = await scripted();
    await manager.callTool("a", ECHO);
    const { a } = JSON.parse(manager.metrics.exportMetrics("json", { keys: "snake_case" })).servers;
    expect(a.pool_performance.utilization_percent).toBe(0);
    expect(a.health.error_rate_percent).toBe(0);
    expect(a.circuit_breaker.open).toBe(false);
    expect(a.timing.request.p95_ms).toBeTypeOf("number");
    const summary = manager.metrics.getHealthSummary({ keys: "snake_case" });
    expect([summary.overall_status, summary.healthy_servers]).toEqual(["healthy", 1]);
  });

  it("can be had of servers with a tag", async () => {
    const { manager } = await scripted({ serverConfigs: { b: { tags: ["critical"] } } });
    expect(Object.keys(manager.metrics.getAllMetrics({ tag: "critical" }).servers)).toEqual(["b"]);
    expect(manager.metrics.getHealthSummary({ tag: "critical" }).totalServers).toBe(1);
  });

  it("begin anew after a reset, which Prometheus does not notice", async () => {
    const { manager } = await scripted();
    await manager.callTool("a", ECHO);
    manager.metrics.resetMetrics();
    expect(manager.metrics.getAllMetrics().global.totalRequests).toBe(0);
    expect(await manager.metrics.exportMetrics("prometheus")).toMatch(
      /^mcp_client_operation_duration_count\{[^}]*mcp_pool_server_name="a"[^}]*\} 1$/m,
    );
  });
});

describe("the error rate", () => {
  const failing = judged("not-sent", "gone");

  it("is 0 below ten requests, and then the share of those that failed", async () => {
    const { manager, connector } = await scripted({
      pool: { retry: { enabled: false }, circuitBreaker: { enabled: false } },
    });
    const rate = () => manager.metrics.getServerMetrics("a")?.health.errorRatePercent;
    for (let call = 0; call < 8; call++) await manager.callTool("a", ECHO);
    connector.onRequest.next(failing);
    await manager.callTool("a", ECHO).catch(() => {});
    expect(rate()).toBe(0);
    connector.onRequest.next(failing);
    await manager.callTool("a", ECHO).catch(() => {});
    expect(rate()).toBe(20);
    expect(manager.metrics.getHealthSummary().servers.a).toBe("critical");
  });

  it("leaves results with isError and aborts out", async () => {
    const { manager, connector } = await scripted();
    for (let call = 0; call < 10; call++) {
      connector.onRequest.next(ok({ content: [], isError: true }));
      await manager.callTool("a", ECHO);
    }
    const aborted = AbortSignal.abort(new Error("enough"));
    await expect(manager.callTool("a", ECHO, { signal: aborted })).rejects.toThrow("enough");
    expect(manager.metrics.getServerMetrics("a")).toMatchObject({
      health: { errorRatePercent: 0 },
      errors: { tool: 10 },
    });
  });
});

describe("a metric callback", () => {
  const intervals = (collector: McpMetricsCollector) =>
    new Promise<void>((resolve) => {
      const end = collector.addMetricCallback(() => {
        end();
        resolve();
      });
    });

  it("is called at each interval, until it is ended; one that throws is reported, and hurts nobody", async () => {
    const { manager } = await scripted({}, { MCP_METRICS_INTERVAL: "0.02" });
    const reported = new Promise((resolve) => manager.subscribe(resolve, ["listener-failed"]));
    manager.metrics.addMetricCallback(() => {
      throw new Error("broken");
    });
    await intervals(manager.metrics);
    expect(await reported).toMatchObject({ error: expect.objectContaining({ message: "broken" }) });
    await manager.callTool("a", ECHO);
  });

  it("raises the alerts of the document", async () => {
    const { manager, connector } = await scripted({
      settings: { metricsIntervalMs: 20 },
      pool: {
        maxConnections: 1,
        sharing: "exclusive",
        retry: { enabled: false },
        circuitBreaker: { failureThreshold: 99 },
      },
    });
    const alerts = new Set<string>();
    manager.metrics.addMetricCallback(({ servers }) => {
      for (const [name, server] of Object.entries(servers)) {
        if (server.poolPerformance.utilizationPercent > 90) alerts.add(`${name} is full`);
        if (server.health.errorRatePercent > 5) alerts.add(`${name} fails`);
        if (server.circuitBreaker.open) alerts.add(`${name} is open`);
      }
    });
    await intervals(manager.metrics);
    expect([...alerts]).toEqual([]);
    for (let call = 0; call < 9; call++) await manager.callTool("a", ECHO);
    connector.onRequest.next(judged("not-sent", "gone"));
    await manager.callTool("a", ECHO).catch(() => {});
    await using _lease = await manager.acquire("a");
    manager.circuitBreaker("b").forceOpen();
    await intervals(manager.metrics);
    expect([...alerts].sort()).toEqual(["a fails", "a is full", "b is open"]);
  });
});

describe("the settings of the metrics", () => {
  it("leave them out, or add rows per tool and per connection", async () => {
    const without = (await scripted({}, { MCP_ENABLE_METRICS: "false" })).manager;
    await without.callTool("a", ECHO);
    expect(without.metrics.getAllMetrics()).toMatchObject({ global: { totalRequests: 0 }, servers: {} });

    const plain = (await scripted()).manager;
    await plain.callTool("a", ECHO);
    expect(plain.metrics.getServerMetrics("a")).not.toHaveProperty("tools");

    const detailed = (await scripted({}, { MCP_DETAILED_METRICS: "true" })).manager;
    await detailed.callTool("a", ECHO);
    const { tools, connectionDetails } = detailed.metrics.getServerMetrics("a") ?? {};
    expect(tools).toMatchObject({ echo: { requests: 1, errors: 0 } });
    expect(connectionDetails).toMatchObject([{ uses: 1 }]);
  });
});

describe("getMetricsCollector", () => {
  it("works before there is a manager, and is that of the manager of the process", async () => {
    const collector = getMetricsCollector();
    expect(collector.getAllMetrics().servers).toEqual({});
    const connector = new ScriptedConnector();
    const mcpServers = { a: { command: "a" } };
    const manager = await getMcpConnectionManager({ mcpServers }, { env: {}, connector: () => connector });
    onTestFinished(() => shutdownMcpConnectionManager({ drainTimeoutMs: 0 }));
    await manager.callTool("a", ECHO);
    expect(getMetricsCollector()).toBe(collector);
    expect(manager.metrics).toBe(collector);
    expect(collector.getServerMetrics("a")?.timing.request.count).toBe(1);
  });
});
