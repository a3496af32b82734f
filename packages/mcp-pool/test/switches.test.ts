import { describe, expect, it, onTestFinished } from "vitest";
import { createMcpPool, type Logger, type PoolPlugin } from "../src/index.ts";
import { managerBy, SERVERS, type Switch, scripted, WAYS } from "./switched.ts";

const ECHO = { name: "echo", arguments: { message: "hi" } };

describe.each(WAYS)("by %s,", (way) => {
  it("mocks answer in place of every server", async () => {
    const mocks: Switch = {
      env: { MCP_ENABLE_MOCKS: "true" },
      yaml: "settings: { enable_mock_servers: true }",
      code: { settings: { enableMockServers: true } },
    };
    const manager = await managerBy(way, mocks);
    expect(await manager.callTool("a", ECHO)).toEqual({ content: [{ type: "text", text: "hi" }] });
    expect(await manager.listTools("a")).toMatchObject({ tools: [{ name: "echo" }] });
    const without = await managerBy("not at all", mocks);
    await expect(without.callTool("a", ECHO)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  });

  it("a single connection carries everything", async () => {
    const single: Switch = {
      env: { MCP_SINGLE_CONNECTION: "true" },
      yaml: "settings: { force_single_connection: true }\npool: { max_connections: 5, sharing: exclusive }",
      code: { settings: { forceSingleConnection: true }, pool: { maxConnections: 5, sharing: "exclusive" } },
    };
    const { connector, options } = scripted();
    const manager = await managerBy(way, single, options);
    const calls = () => Promise.all(Array.from({ length: 6 }, () => manager.callTool("a", { name: "echo" })));
    await calls();
    expect(connector.connects).toHaveLength(1);
    await expect(
      manager.use("a", () => manager.acquire("a", { timeoutMs: 20, sharing: "exclusive" }), { sharing: "exclusive" }),
    ).rejects.toMatchObject({ code: "POOL_EXHAUSTED", counts: { max: 1 } });
  });

  it("the cap over all servers holds", async () => {
    const cap: Switch = {
      env: { MCP_MAX_TOTAL_CONNECTIONS: "1" },
      yaml: "settings: { max_total_connections: 1 }\npool: { sharing: exclusive, acquire_timeout: 20ms }",
      code: { settings: { maxTotalConnections: 1 }, pool: { sharing: "exclusive" } },
    };
    const manager = await managerBy(way, cap, scripted().options);
    const held = await manager.acquire("a", { sharing: "exclusive" });
    await expect(manager.acquire("a", { sharing: "exclusive", timeoutMs: 20 })).rejects.toMatchObject({
      code: "POOL_EXHAUSTED",
    });
    held.release();
    const free = await managerBy("not at all", cap, scripted().options);
    await free.acquire("a", { sharing: "exclusive" });
    await free.acquire("a", { sharing: "exclusive" });
  });

  it("idle connections are looked at as often as the clean-up interval says", async () => {
    const cleanup: Switch = {
      env: { MCP_CLEANUP_INTERVAL: "0.05", MCP_DEFAULT_MIN_CONNECTIONS: "0" },
      yaml: "settings: { cleanup_interval: 50ms }\npool: { min_connections: 0, max_idle_time: 1ms }",
      code: { settings: { cleanupIntervalMs: 50 }, pool: { minConnections: 0, maxIdleTimeMs: 1 } },
    };
    const idle = { serverConfigs: { a: { pool: { maxIdleTimeMs: 1 } } } };
    const { connector, options } = scripted();
    const manager =
      way === "variable"
        ? await createMcpPool({ mcpServers: SERVERS, ...idle }, { env: cleanup.env, ...options })
        : await managerBy(way, cleanup, options);
    onTestFinished(() => manager.close());
    await manager.callTool("a", { name: "echo" });
    const closed = new Promise<unknown>((resolve) => manager.subscribe(resolve, ["connection-closed"]));
    expect(await closed).toMatchObject({ reason: "idle" });
    expect(connector.live).toEqual([]);
  });

  it("the log begins at its level", async () => {
    const lines: string[] = [];
    const write = (level: string) => (line: string) => lines.push(`${level} ${line}`);
    const logger: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
    const log = (level: string): Switch => ({
      env: { MCP_LOG_LEVEL: level },
      yaml: `settings: { log_level: ${level} }`,
      code: { settings: { logLevel: level as "debug" } },
    });
    for (const [level, expected] of [
      ["debug", ["debug", "info"]],
      ["info", ["info"]],
      ["warning", []],
    ] as const) {
      lines.length = 0;
      const manager = await managerBy(way, log(level), { logger, ...scripted().options });
      await manager.callTool("a", { name: "echo" });
      expect(new Set(lines.map((line) => line.split(" ")[0]))).toEqual(new Set(expected));
    }
  });
});

describe("a switch that plugins obey", () => {
  it.each(["healthCheck", "circuitBreaker"] as const)(
    "is handed to core without its block %s, which core does not know",
    async (block) => {
      const seen: string[] = [];
      const plugin: PoolPlugin = {
        name: "sees",
        install: ({ options }) => {
          seen.push(...Object.keys(options));
          return {};
        },
      };
      await managerBy(
        "code",
        { env: {}, yaml: "", code: { pool: { [block]: { enabled: false } } } },
        { plugins: [plugin] },
      );
      expect(seen).toContain("maxConnections");
      expect(seen).not.toContain(block);
    },
  );
});

describe("a mock", () => {
  it("has the tools, the latency and the faults that its server's settings say", async () => {
    const manager = await createMcpPool(
      {
        mcpServers: { a: { command: "a" } },
        settings: { enableMockServers: true },
        serverConfigs: {
          a: {
            mock: {
              tools: {
                search: { description: "Finds", result: { hits: 3 } },
                add: { handler: ({ a, b }) => Number(a) + Number(b), latencyMs: 30 },
              },
              faults: [{ kind: "error", tool: "search", every: 2, message: "too much" }],
            },
          },
        },
      },
      { env: {} },
    );
    onTestFinished(() => manager.close());
    const call = (name: string, args = {}) => manager.callTool("a", { name, arguments: args });
    expect((await manager.listTools("a")).tools.map(({ name }) => name)).toEqual(["search", "add"]);
    const startedAt = performance.now();
    expect(await call("add", { a: 1, b: 2 })).toMatchObject({ content: [{ text: "3" }] });
    expect(performance.now() - startedAt).toBeGreaterThan(25);
    expect(await call("search")).toMatchObject({ content: [{ text: '{"hits":3}' }] });
    await expect(call("search")).rejects.toThrow(/too much/);
    await expect(call("unknown")).rejects.toThrow(/has no tool "unknown"/);
  });

  it("needs no secrets, and is never asked of a connector that is given", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
    const mcpServers = { a: { url: "https://example.com", headers: { authorization: "Bearer ${NOT_SET}" } } };
    const made: string[] = [];
    const connector = (name: string) => {
      made.push(name);
      return undefined;
    };
    const manager = await createMcpPool({ mcpServers }, { env: { MCP_ENABLE_MOCKS: "1" }, connector });
    onTestFinished(() => manager.close());
    expect(await manager.callTool("a", ECHO)).toMatchObject({ content: [{ text: "hi" }] });
    expect(made).toEqual([]);
  });
});
