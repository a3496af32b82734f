import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLedger, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMcpPool, type HealthCheckConfig, type McpPoolManager } from "../src/index.ts";
import { managerOf, temporaryFolder } from "./real-servers.ts";

const SLOW = { timeout: 60_000 };

/** Makes a manager of one real server, `a`, and of a second, `b`, from a file. */
async function fromFile(serverConfigs: string): Promise<{ manager: McpPoolManager; runsOf(key: string): number }> {
  const folder = temporaryFolder();
  const ledger = join(folder, "ledger");
  const entry = (name: string) =>
    JSON.stringify(stdioTestServer({ TEST_SERVER_LEDGER: ledger, TEST_SERVER_NAME: name }));
  const text = `
mcpServers: { a: ${entry("a")}, b: ${entry("b")} }
pool: { min_connections: 1, max_connections: 3, retry: { initial_delay: 10ms } }
server_configs: ${serverConfigs}
`;
  writeFileSync(join(folder, "mcp-pool.yaml"), text);
  const manager = await createMcpPool(join(folder, "mcp-pool.yaml"));
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return { manager, runsOf: (key) => readLedger(ledger).counts[key]?.started ?? 0 };
}

/** Calls a tool whose first run ends its process without an answer. */
function crashing(manager: McpPoolManager, name: string, key: string): Promise<unknown> {
  return manager.callTool("a", { name, arguments: { key, misbehave: "crash", misbehaveTimes: 1 } }).then(
    () => "answered",
    (error: { code: string }) => error.code,
  );
}

describe("what a file says of a server is obeyed", SLOW, () => {
  it("which tools may run twice", async () => {
    const { manager, runsOf } = await fromFile("{ a: { tools: { count: { idempotent: true } } } }");
    expect(await crashing(manager, "count", "told")).toBe("answered");
    expect(await crashing(manager, "count-idempotent", "hinted")).toBe("OUTCOME_UNKNOWN");
    expect([runsOf("told"), runsOf("hinted")]).toEqual([2, 1]);
  });

  it("whether the server's own hints are believed", async () => {
    const { manager, runsOf } = await fromFile("{ a: { trust_annotations: true } }");
    expect(await crashing(manager, "count-idempotent", "idempotent")).toBe("answered");
    expect(await crashing(manager, "count-read-only", "read only")).toBe("answered");
    expect(await crashing(manager, "count", "neither")).toBe("OUTCOME_UNKNOWN");
    expect([runsOf("idempotent"), runsOf("read only"), runsOf("neither")]).toEqual([2, 2, 1]);
  });

  it("how long a request may take, of the server and of a tool", async () => {
    const { manager } = await fromFile("{ a: { request_timeout: 0.2, tools: { sleep: { timeout: 30 } } } }");
    await manager.warmUp("a");
    await expect(manager.callTool("a", { name: "hang" })).rejects.toMatchObject({
      code: "TIMEOUT",
      outcome: "unknown",
    });
    await manager.callTool("a", { name: "sleep", arguments: { ms: 400 } });
  });

  it("how much may be in flight, at the server and of a tool", async () => {
    const { manager } = await fromFile(
      "{ a: { max_concurrent_requests: 2 }, b: { tools: { sleep: { max_concurrent: 1 } } } }",
    );
    await manager.warmUp();
    const sleep = (server: string) => manager.callTool(server, { name: "sleep", arguments: { ms: 150 } });
    const calls = [sleep("a"), sleep("a"), sleep("a"), sleep("b"), sleep("b")];
    expect(manager.getPoolMetrics("a").connections.waiting).toBe(1);
    expect(manager.getPoolMetrics("b").connections.waiting).toBe(1);
    await Promise.all(calls);
  });

  it("that calls need an identity", async () => {
    const { manager } = await fromFile("{ a: { identity_required: true } }");
    const echo = { name: "echo", arguments: { message: "hi" } };
    await expect(manager.callTool("a", echo)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await manager.callTool("a", echo, { identity: "ada" });
    await manager.callTool("b", echo);
  });

  it("its priority and its tags, which select it and stand in snapshots", async () => {
    const { manager } = await fromFile("{ a: { priority: 10, tags: [production, critical] } }");
    expect(manager.servers({ tag: "critical" })).toEqual(["a"]);
    expect(manager.stats().servers.a).toMatchObject({ priority: 10, tags: ["production", "critical"] });
    await manager.warmUp();
    await manager.close({ tag: "critical" });
    expect(manager.servers()).toEqual(["b"]);
    await manager.callTool("b", { name: "echo", arguments: { message: "hi" } });
  });

  it("who takes its calls while its circuit is open", async () => {
    const { manager } = await fromFile("{ a: { on_circuit_open: { server: b } } }");
    manager.circuitBreaker("a").forceOpen();
    await manager.callTool("a", { name: "echo", arguments: { message: "hi" } });
    const borrowed = (name: string) => manager.getPoolMetrics(name).lifecycle.borrowed;
    expect([borrowed("a"), borrowed("b")]).toEqual([0, 1]);
  });
});

describe("a real server is checked", SLOW, () => {
  it.each<[string, HealthCheckConfig["checkMethod"]]>([
    ["by what fits its protocol", "auto"],
    ["by a ping", "ping"],
    ["by server/discover, which older ones answer with an error, and so live", "discover"],
    ["by its list of tools", "list_tools"],
    ["by a tool", { tool: "echo", arguments: { message: "hi" } }],
    [
      "by a function",
      async (client) => {
        await client.callTool({ name: "add", arguments: { a: 1, b: 2 } });
      },
    ],
  ])("%s", async (_what, checkMethod) => {
    const manager = await managerOf({
      mcpServers: { a: stdioTestServer() },
      pool: { minConnections: 1, healthCheck: { checkMethod } },
    });
    expect(await manager.checkHealth("a")).toMatchObject({ status: "healthy", checksFailed: 0 });
  });

  it("and fails, when the tool that is asked answers that it does", async () => {
    const manager = await managerOf({
      mcpServers: { a: stdioTestServer() },
      pool: { minConnections: 1, healthCheck: { failureThreshold: 1, checkMethod: { tool: "fail" } } },
    });
    expect(await manager.checkHealth("a")).toMatchObject({ status: "unhealthy", checksFailed: 1 });
    expect(manager.circuitBreaker("a").state).toBe("open");
  });
});
