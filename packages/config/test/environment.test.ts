import { describe, expect, it } from "vitest";
import { loadMcpConfig, McpManagerConfig } from "../src/index.ts";
import { fileOf, refusalOf } from "./files.ts";

const SERVER = { mcpServers: { a: { command: "a" } } };

/** What each variable sets, as the settings and the pool of a server are then. */
const VARIABLES: readonly (readonly [name: string, text: string, expected: object])[] = [
  ["MCP_LOG_LEVEL", "warning", { settings: { logLevel: "warn" } }],
  ["MCP_ENABLE_METRICS", "false", { settings: { enableMetrics: false } }],
  ["MCP_MAX_TOTAL_CONNECTIONS", "7", { settings: { maxTotalConnections: 7 } }],
  ["MCP_CLEANUP_INTERVAL", "120", { settings: { cleanupIntervalMs: 120_000 }, pool: { cleanupIntervalMs: 120_000 } }],
  ["MCP_DEFAULT_MIN_CONNECTIONS", "1", { pool: { minConnections: 1 } }],
  ["MCP_DEFAULT_MAX_CONNECTIONS", "3", { pool: { maxConnections: 3 } }],
  ["MCP_CONNECTION_TIMEOUT", "0.5", { pool: { connectionTimeoutMs: 500 } }],
  ["MCP_HEALTH_CHECK_INTERVAL", "15", { pool: { healthCheck: { intervalMs: 15_000 } } }],
  [
    "MCP_ENABLE_CIRCUIT_BREAKERS",
    "off",
    { settings: { enableCircuitBreakers: false }, pool: { circuitBreaker: { enabled: false } } },
  ],
  ["MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD", "9", { pool: { circuitBreaker: { failureThreshold: 9 } } }],
  ["MCP_CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "90s", { pool: { circuitBreaker: { recoveryTimeoutMs: 90_000 } } }],
  ["MCP_DETAILED_METRICS", "1", { settings: { detailedMetrics: true } }],
  ["MCP_METRICS_INTERVAL", "250ms", { settings: { metricsIntervalMs: 250 } }],
  ["MCP_ENABLE_MOCKS", "TRUE", { settings: { enableMockServers: true } }],
  [
    "MCP_SINGLE_CONNECTION",
    "yes",
    { settings: { forceSingleConnection: true }, pool: { minConnections: 0, maxConnections: 1 } },
  ],
  [
    "MCP_DISABLE_HEALTH_CHECKS",
    "on",
    { settings: { disableHealthChecks: true }, pool: { healthCheck: { enabled: false } } },
  ],
];

describe("an environment variable", () => {
  it.each(VARIABLES)("%s=%s takes effect", (name, text, expected) => {
    const config = new McpManagerConfig(SERVER, { env: { [name]: text } });
    expect({ settings: config.settings, pool: config.getPoolConfigForServer("a") }).toMatchObject(expected);
    const without = new McpManagerConfig(SERVER, { env: {} });
    expect({ settings: without.settings, pool: without.getPoolConfigForServer("a") }).not.toMatchObject(expected);
    expect(config.explainConfig().some(({ source }) => source === name)).toBe(true);
  });

  it("is one of sixteen", () => {
    expect(new Set(VARIABLES.map(([name]) => name)).size).toBe(16);
  });

  it.each([
    ["MCP_LOG_LEVEL", "loud", /debug, info, warn, warning or error, not "loud"/],
    ["MCP_MAX_TOTAL_CONNECTIONS", "0", /a whole number of at least 1, not "0"/],
    ["MCP_MAX_TOTAL_CONNECTIONS", "1.5", /a whole number/],
    ["MCP_DEFAULT_MIN_CONNECTIONS", "-1", /a whole number of at least 0/],
    ["MCP_CONNECTION_TIMEOUT", "soon", /seconds/],
    ["MCP_CONNECTION_TIMEOUT", "0", /seconds/],
    ["MCP_ENABLE_MOCKS", "maybe", /true or false, not "maybe"/],
  ])("that does not parse is named: %s=%s", async (name, text, message) => {
    const { issues } = await refusalOf({ env: { [name]: text } });
    expect(issues).toMatchObject([
      { path: name, message: expect.stringMatching(message), hint: expect.stringMatching("it sets") },
    ]);
  });

  it("that is empty counts as not set", async () => {
    const config = await loadMcpConfig({ env: { MCP_LOG_LEVEL: "", MCP_ENABLE_MOCKS: " ", MCP_CONFIG_PATH: "" } });
    expect(config.settings).toMatchObject({ logLevel: "info", enableMockServers: false });
  });

  it("names the file where no path is given, and gives way to a path", async () => {
    const named = fileOf("mcpServers: { named: { command: a } }");
    const given = fileOf("mcpServers: { given: { command: a } }");
    const env = { MCP_CONFIG_PATH: named };
    expect((await loadMcpConfig({ env })).listConfiguredServers()).toEqual(["named"]);
    expect((await loadMcpConfig({ env, path: given })).listConfiguredServers()).toEqual(["given"]);
  });

  it("that shows a secret in the wrong place is not quoted", async () => {
    const error = await refusalOf({ env: { MCP_LOG_LEVEL: "sk-live-4f9a8b7c6d5e" } });
    expect(error.message).not.toContain("sk-live");
  });
});
