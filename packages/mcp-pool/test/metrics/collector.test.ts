import { fail, hang, ok } from "@mcp-pool/core/testing";
import * as exporter3 from "@opentelemetry/exporter-prometheus";
import * as exporter2 from "otel-exporter-prometheus-2";
import { describe, expect, it } from "vitest";
import { McpMetricsCollector, type McpMetricsCollectorOptions } from "../../src/index.ts";
import { type FullStack, type Settled, settled } from "../full-stack.ts";
import { collected } from "./collected.ts";
import { SDKS } from "./sdk.ts";

/** The alert handler of the migrated document, as a user writes it. */
function alertHandler(collector: McpMetricsCollector): string[] {
  const alerts: string[] = [];
  collector.addMetricCallback(
    (metrics) => {
      for (const [serverName, serverMetrics] of Object.entries(metrics.servers)) {
        const utilization = serverMetrics.pool_performance.utilization_percent;
        if (utilization > 90) alerts.push(`High pool utilization: ${serverName} at ${utilization}%`);
        const errorRate = serverMetrics.health.error_rate_percent;
        if (errorRate > 5) alerts.push(`High error rate: ${serverName} at ${errorRate}%`);
        if (serverMetrics.circuit_breaker.open) alerts.push(`Circuit breaker open: ${serverName}`);
      }
    },
    { keys: "snake_case" },
  );
  return alerts;
}

function calls({ manager }: FullStack, count: number, server = "orders"): Settled[] {
  return Array.from({ length: count }, () => settled(manager.callTool(server, { name: "place" })));
}

const states = (all: readonly Settled[]) => new Set(all.map(({ state }) => state));

/** What the document reads, by the paths that it reads it by. */
function fixedPaths(collector: McpMetricsCollector) {
  const metrics = JSON.parse(collector.exportMetrics("json", { keys: "snake_case" }));
  const summary = collector.getHealthSummary({ keys: "snake_case" });
  return {
    utilization: metrics.servers.orders.pool_performance.utilization_percent,
    errorRate: metrics.servers.orders.health.error_rate_percent,
    open: metrics.servers.orders.circuit_breaker.open,
    overall: summary.overall_status,
    healthy: summary.healthy_servers,
  };
}

const CALM = { utilization: 0, errorRate: 0, open: false, overall: "healthy", healthy: 2 };

describe("through a saturation, an outage and a recovery", () => {
  it("the document's paths read right, and its alert handler fires at the right moments", async () => {
    const stack = collected(["orders", "mail"]);
    const { clock, collector, connector } = stack;
    const orders = connector("orders");
    const alerts = alertHandler(collector);
    expect(fixedPaths(collector)).toEqual({ ...CALM, overall: "unknown", healthy: 0 });

    expect(states(calls(stack, 1, "mail")).size).toBe(1);
    calls(stack, 1);
    await clock.advance(60_000);
    expect(fixedPaths(collector)).toEqual(CALM);
    expect(alerts).toEqual([]);

    // Saturation: 2 connections have room for 10 requests.
    orders.onRequest.always(hang());
    const busy = calls(stack, 10);
    await clock.settle();
    expect(fixedPaths(collector)).toEqual({ ...CALM, utilization: 100, overall: "warning", healthy: 1 });
    const refused = calls(stack, 2);
    await clock.advance(59_999);
    expect(alerts, "one interval has not passed").toEqual([]);
    await clock.advance(1);
    expect(alerts.splice(0), "three requests make no rate").toEqual(["High pool utilization: orders at 100%"]);
    await clock.advance(60_000);
    expect(alerts.splice(0), "12 of 13 have failed").toEqual([`High error rate: orders at ${(100 * 12) / 13}%`]);
    expect(refused).toMatchObject([{ error: { code: "POOL_EXHAUSTED" } }, { error: { code: "POOL_EXHAUSTED" } }]);
    expect(states(busy)).toEqual(new Set(["rejected"]));

    // The server is well again, and all that is long past.
    orders.onRequest.always(ok());
    orders.onProbe.always(ok());
    await clock.advance(400_000);
    alerts.length = 0;
    calls(stack, 20);
    await clock.advance(60_000);
    expect(fixedPaths(collector)).toEqual(CALM);
    expect(alerts).toEqual([]);

    // Outage: connections are lost, and no new one opens, until the circuit does.
    orders.onConnect.always(fail(new Error("refused")));
    for (const connection of orders.live) connection.die(new Error("crashed"));
    for (let call = 0; call < 25; call++) {
      calls(stack, 1);
      await clock.advance(1_000);
    }
    const down = fixedPaths(collector);
    expect(down).toMatchObject({ open: true, overall: "critical", healthy: 1, utilization: 0 });
    expect(down.errorRate).toBeGreaterThan(50);
    expect(collector.getHealthSummary()).toMatchObject({ unavailableServers: 1, servers: { orders: "unavailable" } });
    await clock.advance(60_000);
    expect(alerts.splice(0)).toContain("Circuit breaker open: orders");

    // Recovery: background probes close the circuit, and the failures are forgotten after five minutes.
    orders.onConnect.always(ok());
    await clock.advance(60_000);
    expect(fixedPaths(collector)).toMatchObject({ open: false });
    await clock.advance(300_000);
    alerts.length = 0;
    calls(stack, 12);
    await clock.advance(60_000);
    expect(fixedPaths(collector)).toEqual(CALM);
    expect(alerts).toEqual([]);
  });
});

describe("the collector", () => {
  it("counts what the pool's own counters say, over all pools, and goes on after a reset at zero", async () => {
    const stack = collected(["orders"]);
    const { manager, clock, collector, connector } = stack;
    calls(stack, 5);
    await clock.settle();
    connector("orders").onRequest.next(ok({ content: [], isError: true }));
    settled(manager.callTool("orders", { name: "place" }, { identity: "alice" }));
    const lease = settled(manager.acquire("orders"));
    await clock.advance(2_000);
    const own = manager.getPoolMetrics("orders");
    const { lifecycle, poolPerformance, errors } = collector.getServerMetrics("orders") ?? {};
    expect({ lifecycle, poolPerformance, errors }).toEqual({
      lifecycle: own.lifecycle,
      poolPerformance: own.poolPerformance,
      errors: own.errors,
    });
    expect(lifecycle).toMatchObject({ created: 2, borrowed: 7, returned: 6 });
    expect(errors).toMatchObject({ tool: 1 });
    expect(collector.getServerMetrics("orders")?.timing).toMatchObject({
      acquire: { count: 7 },
      create: { count: 2 },
      request: { count: 6 },
    });

    const series = await collector.exportMetrics("prometheus");
    collector.resetMetrics();
    expect(collector.getServerMetrics("orders")).toMatchObject({
      lifecycle: { created: 0, borrowed: 0 },
      timing: { request: { count: 0 }, acquire: { count: 0 } },
      errors: { tool: 0 },
      connections: { total: 2, active: 1 },
      poolPerformance: { peakActive: 1, hits: 0 },
    });
    expect(collector.getAllMetrics().global).toMatchObject({ totalRequests: 0, totalConnections: 2 });
    expect(await collector.exportMetrics("prometheus"), "series never reset").toBe(series);
    expect(lease.state).toBe("resolved");
  });

  it("tells requests that failed from those that did not", async () => {
    const stack = collected(["orders"]);
    const { manager, clock, collector, connector } = stack;
    const { onRequest } = connector("orders");
    calls(stack, 5);
    await clock.settle();
    const fails = Object.assign(new Error("no"), { code: -32602 });
    onRequest.next({ kind: "fail", error: Object.assign(new Error("x"), { judgement: "answered", cause: fails }) });
    calls(stack, 1);
    onRequest.next(ok({ content: [], isError: true }));
    calls(stack, 1);
    const controller = new AbortController();
    onRequest.next(hang());
    settled(manager.callTool("orders", { name: "place" }, { signal: controller.signal }));
    controller.abort(new Error("enough"));
    // It fails before it reaches a connection.
    const identity = () => Promise.reject(new Error("no session"));
    settled(manager.callTool("orders", { name: "place" }, { identity }));
    await clock.settle();
    calls(stack, 3);
    await clock.settle();
    const { global, servers } = collector.getAllMetrics();
    expect(global).toMatchObject({ totalRequests: 11, totalErrors: 2 });
    expect(servers.orders?.errors).toMatchObject({ validation: 1 });
    expect(servers.orders?.health.errorRatePercent).toBeCloseTo(200 / 11);
    expect(servers.orders?.health.status).toBe("warning");
  });

  it("shows the servers that there are, and those with a tag", async () => {
    const stack = collected(["orders", "mail"]);
    const { manager, clock, collector, connector } = stack;
    manager.addServer("files", { connector: connector("mail"), tags: ["critical"], pool: { minConnections: 0 } });
    calls(stack, 1, "files");
    calls(stack, 2);
    await clock.settle();
    expect(Object.keys(collector.getAllMetrics().servers)).toEqual(["orders", "mail", "files"]);
    const critical = collector.getAllMetrics({ tag: "critical" });
    expect(Object.keys(critical.servers)).toEqual(["files"]);
    expect(critical).toMatchObject({ global: { totalServers: 1, totalRequests: 1 } });
    expect(collector.getHealthSummary({ tag: "critical" })).toMatchObject({ totalServers: 1, healthyServers: 1 });
    const removed = settled(manager.removeServer("files"));
    await clock.advance(20_000);
    expect(removed.state).toBe("resolved");
    expect(collector.getServerMetrics("files")).toBeUndefined();
    const { global, servers } = collector.getAllMetrics();
    expect(Object.keys(servers)).toEqual(["orders", "mail"]);
    expect(global, "what was counted stays counted").toMatchObject({ totalServers: 2, totalRequests: 3 });
  });

  it("shows the last counts after the close, and nothing open", async () => {
    const stack = collected(["orders"]);
    const { manager, clock, collector } = stack;
    calls(stack, 3);
    await clock.settle();
    const closing = settled(manager.close());
    await clock.advance(20_000);
    expect(closing.state).toBe("resolved");
    expect(collector.getServerMetrics("orders")).toMatchObject({
      connections: { total: 0, active: 0, idle: 0, connecting: 0, waiting: 0, max: 0 },
      lifecycle: { created: 1, destroyed: 1, borrowed: 3, returned: 3 },
      poolPerformance: { utilizationPercent: 0 },
      timing: { request: { count: 3 } },
    });
    expect(collector.getHealthSummary()).toMatchObject({ totalConnections: 0, totalRequests: 3 });
  });

  it("reports a callback that throws or rejects, and calls the others", async () => {
    const stack = collected(["orders"], { metricsIntervalMs: 1_000 });
    const { clock, collector, recorder } = stack;
    let count = 0;
    const errors = [new Error("thrown"), new Error("rejected")];
    collector.addMetricCallback(() => {
      throw errors[0];
    });
    collector.addMetricCallback(() => Promise.reject(errors[1]));
    const stop = collector.addMetricCallback(() => count++);
    await clock.advance(2_000);
    expect(count).toBe(2);
    expect(recorder.of("listener-failed").map(({ error }) => error)).toEqual([...errors, ...errors]);
    stop();
    await clock.advance(2_000);
    expect(count).toBe(2);
  });

  it.each([
    ["3.x", SDKS[0]?.sdk, exporter3],
    ["2.x", SDKS[1]?.sdk, exporter2],
  ])("writes the same text for Prometheus on SDK %s", async (_, sdk, exporter) => {
    if (sdk === undefined) throw new Error("no such SDK");
    const stack = collected(["orders"], {
      prometheus: async () => ({ sdk, exporter: exporter as unknown as typeof exporter3 }),
    });
    calls(stack, 3);
    await stack.clock.settle();
    const lines = (await stack.collector.exportMetrics("prometheus")).split("\n");
    const scope = 'otel_scope_name="@mcp-pool/metrics-otel",otel_scope_version="0.0.0"';
    const server = 'mcp_pool_name="default",mcp_pool_server_name="orders"';
    expect(lines).toContain("# TYPE mcp_pool_connection_wait_time histogram");
    expect(lines).toContain(`mcp_pool_connection_wait_time_count{${server},${scope}} 3`);
    expect(lines).toContain(`mcp_pool_connection_wait_time_bucket{${server},${scope},le="0.001"} 3`);
    expect(lines).toContain(`mcp_pool_connection_wait_time_bucket{${server},${scope},le="+Inf"} 3`);
    expect(lines).toContain(`mcp_pool_connection_limit{${server},${scope}} 2`);
    expect(lines.filter((line) => line.startsWith("# TYPE")).length).toBeGreaterThan(8);
  });

  it("refuses bad options and unknown formats", () => {
    expect(() => new McpMetricsCollector({ metricsIntervalMs: 0 })).toThrow(/metricsIntervalMs: must be at least 1 ms/);
    expect(() => new McpMetricsCollector({ typo: 1 } as McpMetricsCollectorOptions)).toThrow(/typo: is not known/);
    const collector = new McpMetricsCollector();
    expect(() => collector.exportMetrics("xml" as "json")).toThrow(/must be "json" or "prometheus", not "xml"/);
  });
});
