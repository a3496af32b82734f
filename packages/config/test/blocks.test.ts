import { describe, expect, it } from "vitest";
import { loadMcpConfig, type McpManagerConfig } from "../src/index.ts";
import { fileOf, refusalOfText } from "./files.ts";

function load(text: string, name?: string): Promise<McpManagerConfig> {
  return loadMcpConfig({ path: fileOf(text, name), env: { ZEN_TOKEN: "t" } });
}

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what references look like */
const DOCUMENT = `
mcpServers:
  zen-server: { command: npx, args: ["-y", "zen-mcp"], env: { TOKEN: "\${ZEN_TOKEN}" } }
settings: { max_total_connections: 100, log_level: info }
pool: { min_connections: 2, max_connections: 10, health_check: { interval_seconds: 60 }, circuit_breaker: { failure_threshold: 5 } }
server_configs:
  zen-server: { priority: 10, tags: [production, critical], max_concurrent_requests: 50, pool: { max_idle_time: 300 } }
`;
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: that is what references look like */

describe("a file", () => {
  it("loads as it is written in the contract", async () => {
    const config = await load(DOCUMENT);
    expect(config.settings).toMatchObject({ maxTotalConnections: 100, logLevel: "info" });
    expect(config.getServerConfig("zen-server")).toEqual({
      serverName: "zen-server",
      priority: 10,
      tags: ["production", "critical"],
      maxConcurrentRequests: 50,
      pool: {
        minConnections: 2,
        maxConnections: 10,
        maxIdleTimeMs: 300_000,
        healthCheck: { intervalMs: 60_000 },
        circuitBreaker: { failureThreshold: 5 },
      },
    });
  });

  it("may use the document's spellings of every block", async () => {
    const config = await load(`
mcp_servers: { a: { command: a } }
settings: { cleanup_interval: 300, metrics_interval: 60, enable_mock_servers: false, force_single_connection: false, disable_health_checks: false }
pool:
  min_connections: 1
  max_connections: 5
  max_idle_time: 300.0
  connection_timeout: 30.0
  cleanup_interval: 60
  validate_on_acquire: true
  health_check: { enabled: true, interval_seconds: 60.0, timeout_seconds: 10.0, failure_threshold: 3, success_threshold: 2, check_method: list_tools }
  circuit_breaker: { enabled: true, failure_threshold: 5, recovery_timeout: 60.0, success_threshold: 2, half_open_max_calls: 1 }
server_configs:
  a: { server_name: a, pool_config: { max_connections: 7 }, priority: 10 }
`);
    expect(config.getPoolConfigForServer("a")).toEqual({
      minConnections: 1,
      maxConnections: 7,
      maxIdleTimeMs: 300_000,
      maxLifetimeMs: 3_600_000,
      connectionTimeoutMs: 30_000,
      acquireTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      maxWaiting: 1_000,
      sharing: "shared",
      onRelease: "reuse",
      validateOnAcquire: true,
      cleanupIntervalMs: 60_000,
      toolListTtlMs: 300_000,
      retry: {
        enabled: true,
        maxAttempts: 3,
        initialDelayMs: 1_000,
        backoffFactor: 2,
        maxDelayMs: 30_000,
        budgetTokens: 500,
        repeatAfterSessionLoss: true,
      },
      healthCheck: {
        enabled: true,
        intervalMs: 60_000,
        timeoutMs: 10_000,
        failureThreshold: 3,
        successThreshold: 2,
        checkMethod: "list_tools",
        bypassMs: 500,
      },
      circuitBreaker: {
        enabled: true,
        failureThreshold: 5,
        recoveryTimeoutMs: 60_000,
        successThreshold: 2,
        halfOpenMaxCalls: 1,
        trialTimeoutMs: 60_000,
      },
    });
  });

  it.each([
    ["maxIdleTimeMs: 5000", 5_000],
    ["max_idle_time_ms: 5000", 5_000],
    ["maxIdleTime: 5", 5_000],
    ["max_idle_time: 5", 5_000],
    ["maxIdleTimeSeconds: 5", 5_000],
    ["max_idle_time_seconds: 0.5", 500],
    ["max_idle_time: 5m", 300_000],
    ["max_idle_time: 500 ms", 500],
    ["maxIdleTimeMs: 2h", 7_200_000],
    ["max_idle_time: .inf", Infinity],
  ])("tells a time as %s", async (text, maxIdleTimeMs) => {
    const config = await load(`pool: { ${text} }\nmcpServers: { a: { command: a } }`);
    expect(config.getPoolConfigForServer("a")).toMatchObject({ maxIdleTimeMs });
  });

  it("cannot say one thing in two spellings", async () => {
    const { issues } = await refusalOfText("pool:\n  max_idle_time: 5\n  maxIdleTimeMs: 5000\n");
    expect(issues).toMatchObject([{ path: "pool.maxIdleTimeMs", line: 3, column: 3, message: /again/ }].map(loosely));
  });

  it.each([
    [
      "5, 20, connect 10 s, idle 180 s",
      "min_connections: 5\n  max_connections: 20\n  connection_timeout: 10.0\n  max_idle_time: 180.0",
    ],
    [
      "10, 15, connect 5 s, validate",
      "min_connections: 10\n  max_connections: 15\n  connection_timeout: 5.0\n  validate_on_acquire: true",
    ],
    [
      "1, 3, idle 600 s, clean-up 120 s",
      "min_connections: 1\n  max_connections: 3\n  max_idle_time: 600.0\n  cleanup_interval: 120.0",
    ],
  ])("takes the tuning example (%s)", async (_name, text) => {
    const pool = (await load(`pool:\n  ${text}\n`)).getPoolConfigForServer("any");
    expect(pool).toMatchObject(
      {
        5: { minConnections: 5, maxConnections: 20, connectionTimeoutMs: 10_000, maxIdleTimeMs: 180_000 },
        10: { minConnections: 10, maxConnections: 15, connectionTimeoutMs: 5_000, validateOnAcquire: true },
        1: { minConnections: 1, maxConnections: 3, maxIdleTimeMs: 600_000, cleanupIntervalMs: 120_000 },
      }[pool.minConnections] ?? {},
    );
  });

  it("may be JSON with comments and trailing commas, whatever its name", async () => {
    const text =
      '// a comment\n{ "mcpServers": { "a": { "command": "a", }, }, /* more */ "pool": { "maxConnections": 3 } }';
    for (const name of ["a.json", "a.jsonc", "a", "a.conf"]) {
      expect((await load(text, name)).getPoolConfigForServer("a").maxConnections).toBe(3);
    }
  });

  it("may use anchors and merge keys", async () => {
    const config = await load(
      "mcpServers: { a: { command: a } }\npool: &p { max_connections: 3 }\nserver_configs: { a: { pool: { <<: *p, min_connections: 1 } } }",
    );
    expect(config.getPoolConfigForServer("a")).toMatchObject({ minConnections: 1, maxConnections: 3 });
  });

  it("may leave blocks empty", async () => {
    const config = await load(
      "mcpServers:\n  a:\n    command: a\n    args:\nsettings:\npool:\nserver_configs:\n  a:\n",
    );
    expect(config.resolve().servers.get("a")?.connection).toMatchObject({ args: [] });
  });

  it("may say everything there is", async () => {
    const config = await load(`
mcpServers: { a: { command: a } }
settings: { sdk: v1, detailed_metrics: true, log_level: debug }
pool:
  max_uses: 100
  max_requests_per_connection: 4
  sharing: exclusive
  on_release: close
  attempt_timeout: 5
  leak_threshold: 1m
  tool_list_ttl: 10
  max_lifetime: 1h
  retry: { max_attempts: 2, initial_delay: 100ms, backoff_factor: 3, max_delay: 1 }
  health_check: { check_method: { tool: ping, arguments: { deep: true } } }
  circuit_breaker: { window: 30, failure_rate: 0.5, minimum_calls: 10 }
server_configs:
  a:
    trust_annotations: true
    identity_required: true
    request_timeout: 20
    tools: { write_file: { idempotent: true, timeout: 5, max_concurrent: 2 } }
    mock: { latency: 0.01, connect_latency: 20ms, tools: { echo: { result: hi } }, faults: [{ kind: error, every: 2, tool: echo, times: 1, message: no }] }
`);
    expect(config.getServerConfig("a")).toMatchObject({
      trustAnnotations: true,
      identityRequired: true,
      tools: { write_file: { idempotent: true, timeoutMs: 5_000, maxConcurrent: 2 } },
      mock: { latencyMs: 10, connectLatencyMs: 20, faults: [{ kind: "error", every: 2 }] },
      pool: {
        requestTimeoutMs: 20_000,
        attemptTimeoutMs: 5_000,
        leakThresholdMs: 60_000,
        toolListTtlMs: 10_000,
        retry: { initialDelayMs: 100, maxDelayMs: 1_000 },
        healthCheck: { checkMethod: { tool: "ping", arguments: { deep: true } } },
        circuitBreaker: { windowMs: 30_000, failureRate: 0.5, minimumCalls: 10 },
      },
    });
  });
});

function loosely({ message, ...issue }: { readonly message: RegExp }): object {
  return { ...issue, message: expect.stringMatching(message) };
}
