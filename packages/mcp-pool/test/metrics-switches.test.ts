import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FakeClock, ok, ScriptedConnector } from "@mcp-pool/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type AllMetrics,
  type CreateMcpPoolOptions,
  createMcpPool,
  type McpPoolConfig,
  type McpPoolManager,
  otelMetrics,
} from "../src/index.ts";
import { meters } from "./metrics/sdk.ts";
import { temporaryFolder } from "./real-servers.ts";

const SERVERS = { a: { command: "mcp-pool-no-such-command" } };

/** One switch in its three forms. */
interface Switch {
  readonly env: Readonly<Record<string, string>>;
  readonly yaml: string;
  readonly code: McpPoolConfig;
}

type Way = "variable" | "file" | "code" | "not at all";
const WAYS: readonly Way[] = ["variable", "file", "code"];

/** Makes a manager of a scripted server, with a switch thrown in one way, or not at all. */
async function managerBy(
  way: Way,
  { env, yaml, code }: Switch,
  options: CreateMcpPoolOptions = {},
): Promise<McpPoolManager> {
  const connector = new ScriptedConnector({ clock: new FakeClock() });
  connector.onRequest.always(ok({ content: [] }));
  const all = { connector: () => connector, ...options };
  let manager: McpPoolManager;
  if (way === "file") {
    const path = join(temporaryFolder(), "mcp-pool.yaml");
    writeFileSync(path, `mcpServers: ${JSON.stringify(SERVERS)}\n${yaml}\n`);
    manager = await createMcpPool(path, { ...all, env: {} });
  } else {
    const config = { mcpServers: SERVERS, ...(way === "code" ? code : {}) };
    manager = await createMcpPool(config, { ...all, env: way === "variable" ? env : {} });
  }
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

const OFF: Switch = {
  env: { MCP_ENABLE_METRICS: "false" },
  yaml: "settings: { enable_metrics: false }",
  code: { settings: { enableMetrics: false } },
};

describe.each(WAYS)("by %s,", (way) => {
  it("enableMetrics decides whether anything is measured", async () => {
    for (const each of ["not at all", way] as const) {
      const isOn = each === "not at all";
      const { provider, collect } = meters();
      const manager = await managerBy(each, OFF, { meterProvider: provider });
      await manager.callTool("a", { name: "echo" });
      expect(Object.keys((await collect()) ?? {}).includes("mcp.client.operation.duration")).toBe(isOn);
      expect(manager.metrics.getServerMetrics("a")?.timing.request.count).toBe(isOn ? 1 : undefined);
      const text = await manager.metrics.exportMetrics("prometheus");
      expect(text.includes("mcp_client_operation_duration_count")).toBe(isOn);
      expect(manager.getPoolMetrics("a").lifecycle.borrowed, "what core counts is there anyway").toBe(1);
    }
  });

  it("detailedMetrics adds rows per tool and per connection", async () => {
    const detailed: Switch = {
      env: { MCP_DETAILED_METRICS: "true" },
      yaml: "settings: { detailed_metrics: true }",
      code: { settings: { detailedMetrics: true } },
    };
    const plain = await managerBy("not at all", detailed);
    await plain.callTool("a", { name: "echo" });
    const { a } = plain.metrics.getAllMetrics().servers;
    expect([a?.tools, a?.connectionDetails]).toEqual([undefined, undefined]);
    const manager = await managerBy(way, detailed);
    await manager.callTool("a", { name: "echo" });
    expect(manager.metrics.getAllMetrics().servers.a).toMatchObject({
      tools: { echo: { requests: 1, errors: 0, toolErrors: 0, timing: { count: 1 } } },
      connectionDetails: expect.arrayContaining([expect.objectContaining({ id: 1, uses: 1, transport: "in-memory" })]),
    });
  });

  it("metricsIntervalMs says how often the callbacks are called", async () => {
    const often: Switch = {
      env: { MCP_METRICS_INTERVAL: "0.02" },
      yaml: "settings: { metrics_interval: 20ms }",
      code: { settings: { metricsIntervalMs: 20 } },
    };
    const seldom = await managerBy("not at all", often);
    let early = 0;
    seldom.metrics.addMetricCallback(() => early++);
    const manager = await managerBy(way, often);
    const seen = await new Promise<AllMetrics[]>((resolve) => {
      const all: AllMetrics[] = [];
      manager.metrics.addMetricCallback((metrics) => {
        all.push(metrics);
        if (all.length === 3) resolve(all);
      });
    });
    expect(Object.keys(seen[0]?.servers ?? {})).toEqual(["a"]);
    expect(early, "a minute is the default").toBe(0);
  });
});

describe("a reload", () => {
  it("switches the measuring off and on", async () => {
    const { provider, collect } = meters();
    const manager = await managerBy("not at all", OFF, { meterProvider: provider });
    const calls = async () => {
      await manager.callTool("a", { name: "echo" });
      const { points } = (await collect())["mcp_pool.connection.wait_time"] ?? {};
      return Number.parseInt(String(Object.values(points ?? {})[0]), 10);
    };
    expect(await calls()).toBe(1);
    await manager.reload({ mcpServers: SERVERS, ...OFF.code });
    expect(await calls()).toBe(1);
    await manager.reload({ mcpServers: SERVERS });
    expect(await calls()).toBe(2);
  });

  it("makes no pool anew for the settings that act while pools are open", async () => {
    const manager = await managerBy("not at all", OFF);
    await manager.callTool("a", { name: "echo" });
    await manager.reload({ mcpServers: SERVERS, settings: { detailedMetrics: true, metricsIntervalMs: 5_000 } });
    await manager.callTool("a", { name: "echo" });
    expect(manager.stats().servers.a?.pools[0]?.counters.created).toBeGreaterThan(0);
    expect(manager.metrics.getServerMetrics("a")).toMatchObject({
      lifecycle: { borrowed: 2 },
      tools: { echo: { requests: 1 } },
    });
  });
});

describe("the plugins of the metrics", () => {
  it("give way to those of the same name", async () => {
    const one = meters();
    const other = meters();
    const manager = await managerBy("not at all", OFF, {
      meterProvider: one.provider,
      plugins: [otelMetrics({ meterProvider: other.provider, name: "mine" })],
    });
    await manager.callTool("a", { name: "echo" });
    expect(await one.collect()).toEqual({});
    const counts = (await other.collect())["mcp_pool.connection.wait_time"]?.points ?? {};
    expect(Object.keys(counts)).toEqual(["mcp_pool.name=mine mcp_pool.server.name=a"]);
  });

  it("are told of a bad option by its name", async () => {
    const options = { meterProvider: {} } as unknown as CreateMcpPoolOptions;
    await expect(createMcpPool({ mcpServers: SERVERS }, options)).rejects.toThrow(
      /options\.meterProvider: must be a provider of OpenTelemetry/,
    );
  });
});
