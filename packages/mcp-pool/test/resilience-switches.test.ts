import { judged, ok } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import type { McpPoolManager } from "../src/index.ts";
import { managerBy, type Switch, scripted, WAYS, type Way } from "./switched.ts";

const PAY = { name: "pay" };

/** Makes failing calls one after the other, and returns what each failed with. */
async function failMany(manager: McpPoolManager, count: number): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let call = 0; call < count; call++) {
    codes.push(
      await manager.callTool("a", PAY).then(
        () => "answer",
        ({ code }: { code: string }) => code,
      ),
    );
  }
  return codes;
}

/** Makes a manager whose server may run every tool and never answers, and fails some calls. */
async function failingBy(way: Way | "not at all", own: Switch, count: number): Promise<readonly string[]> {
  const { connector, options } = scripted();
  connector.onRequest.always(judged("timed-out"));
  return failMany(await managerBy(way, own, options), count);
}

const TIMEOUTS = (count: number): readonly string[] => Array.from({ length: count }, () => "TIMEOUT");

describe.each(WAYS)("by %s,", (way) => {
  it("circuit breakers are switched off", async () => {
    const off: Switch = {
      env: { MCP_ENABLE_CIRCUIT_BREAKERS: "false" },
      yaml: "settings: { enable_circuit_breakers: false }",
      code: { settings: { enableCircuitBreakers: false } },
    };
    expect(await failingBy(way, off, 7)).toEqual(TIMEOUTS(7));
    expect(await failingBy("not at all", off, 7)).toEqual([...TIMEOUTS(5), "CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
  });

  it("circuits open after as many failures as it says", async () => {
    const threshold: Switch = {
      env: { MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "2" },
      yaml: "pool: { circuit_breaker: { failure_threshold: 2 } }",
      code: { pool: { circuitBreaker: { failureThreshold: 2 } } },
    };
    expect(await failingBy(way, threshold, 3)).toEqual([...TIMEOUTS(2), "CIRCUIT_OPEN"]);
  });

  it("circuits are tried again after as long as it says", async () => {
    const recovery: Switch = {
      env: { MCP_CIRCUIT_BREAKER_RECOVERY_TIMEOUT: "0.05" },
      yaml: "pool: { circuit_breaker: { recovery_timeout: 0.05 } }",
      code: { pool: { circuitBreaker: { recoveryTimeoutMs: 50 } } },
    };
    const { connector, options } = scripted();
    connector.onRequest.always(judged("timed-out"));
    const manager = await managerBy(way, recovery, options);
    const changes = new Promise<void>((resolve) =>
      manager.subscribe((event) => {
        if (event.type === "circuit-state-changed" && event.to === "half-open") resolve();
      }),
    );
    expect(await failMany(manager, 6)).toContain("CIRCUIT_OPEN");
    expect(manager.circuitBreaker("a").getStats().retryAfterMs).toBeLessThanOrEqual(50);
    await changes;
  });

  it("health checks are switched off", async () => {
    const off: Switch = {
      env: { MCP_DISABLE_HEALTH_CHECKS: "true", MCP_HEALTH_CHECK_INTERVAL: "0.02" },
      yaml: "settings: { disable_health_checks: true }\npool: { health_check: { interval_seconds: 0.02 } }",
      code: { settings: { disableHealthChecks: true }, pool: { healthCheck: { intervalMs: 20 } } },
    };
    const manager = await managerBy(way, off, scripted().options);
    const events: string[] = [];
    manager.subscribe(({ type }) => void (type.startsWith("health-check") && events.push(type)));
    await manager.callTool("a", PAY);
    await checksAreMade(await managerBy("code", EVERY_20_MS, scripted().options), 4);
    expect(events).toEqual([]);
    await expect(manager.checkHealth()).rejects.toThrow("@mcp-pool/health");
  });

  it("health checks are made as often as it says", async () => {
    await checksAreMade(await managerBy(way, EVERY_20_MS, scripted().options), 3);
  });
});

const EVERY_20_MS: Switch = {
  env: { MCP_HEALTH_CHECK_INTERVAL: "0.02" },
  yaml: "pool: { health_check: { interval_seconds: 0.02 } }",
  code: { pool: { healthCheck: { intervalMs: 20 } } },
};

/** Resolves after some checks; by default, the first one would come after a minute. */
async function checksAreMade(manager: McpPoolManager, count: number): Promise<void> {
  const checks = new Promise<void>((resolve) => {
    let seen = 0;
    manager.subscribe(() => void (++seen === count && resolve()), ["health-check-passed"]);
  });
  await manager.callTool("a", PAY);
  await checks;
}

/** No variable of the document is about retries. */
describe.each(["file", "code"] as const)("by %s,", (way) => {
  const attemptsBy = async (each: Way | "not at all", own: Switch) => {
    const { connector, options } = scripted();
    connector.onRequest.next(judged("not-sent"), judged("overloaded")).always(ok({ content: [] }));
    const [outcome] = await failMany(await managerBy(each, own, options), 1);
    return [outcome, connector.requests.length];
  };

  it("retries are switched off", async () => {
    const off: Switch = {
      env: {},
      yaml: "pool: { retry: { enabled: false } }",
      code: { pool: { retry: { enabled: false } } },
    };
    expect(await attemptsBy(way, off)).toEqual(["CONNECTION_FAILED", 1]);
    expect(await attemptsBy("not at all", off)).toEqual(["answer", 3]);
  });

  it("tries are as many as it says", async () => {
    const two: Switch = {
      env: {},
      yaml: "pool: { retry: { max_attempts: 2 } }",
      code: { pool: { retry: { maxAttempts: 2 } } },
    };
    expect(await attemptsBy(way, two)).toEqual(["CONNECTION_FAILED", 2]);
  });

  it("a circuit breaker, health checks and retries may be off for one server alone", async () => {
    const off: Switch = {
      env: {},
      yaml: `server_configs:
  a: { pool: { retry: { enabled: false }, circuit_breaker: { enabled: false }, health_check: { enabled: false } } }`,
      code: {
        serverConfigs: {
          a: {
            pool: { retry: { enabled: false }, circuitBreaker: { enabled: false }, healthCheck: { enabled: false } },
          },
        },
      },
    };
    expect(await attemptsBy(way, off)).toEqual(["CONNECTION_FAILED", 1]);
    expect(await failingBy(way, off, 7)).toEqual(TIMEOUTS(7));
    const manager = await managerBy(way, off, scripted().options);
    expect(() => manager.health("a")).toThrow("@mcp-pool/health");
  });
});
