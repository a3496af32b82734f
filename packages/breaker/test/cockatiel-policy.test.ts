import { McpConnectionPool } from "@mcp-pool/core";
import { FakeClock, judged, ScriptedConnector } from "@mcp-pool/core/testing";
import {
  ConsecutiveBreaker,
  circuitBreaker as cockatielCircuitBreaker,
  ExponentialBackoff,
  handleAll,
  isBrokenCircuitError,
  noop,
  SamplingBreaker,
  wrap,
} from "cockatiel";
import { describe, expect, it } from "vitest";
import { CircuitBreaker, policy } from "../src/index.ts";

const failing = () => Promise.reject(new Error("down"));

describe("the circuit breaker as a cockatiel policy", () => {
  it("composes with others by wrap, and refuses in a way that cockatiel knows", async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    const wrapped = wrap(noop, breaker);
    await expect(wrapped.execute(failing)).rejects.toThrow("down");
    const refusal = await wrapped.execute(() => 1).catch((error: unknown) => error);
    expect(isBrokenCircuitError(refusal)).toBe(true);
    expect(refusal).toMatchObject({ code: "CIRCUIT_OPEN" });
  });

  it("takes any of cockatiel's breakers, and its back-offs", async () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker(
      {
        breaker: () => new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.1 }),
        recoveryBackoff: new ExponentialBackoff({
          initialDelay: 100,
          generator: (state, { initialDelay }) => {
            const next = (typeof state === "number" ? state : initialDelay / 2) * 2;
            return [next, next] as never;
          },
        }),
        successThreshold: 1,
      },
      { clock },
    );
    await breaker.execute(() => 1);
    for (let call = 0; call < 3 && breaker.state === "closed"; call++) await breaker.execute(failing).catch(() => {});
    expect(breaker.state).toBe("open");
    const first = breaker.retryAfterMs ?? 0;
    await clock.advance(first);
    await breaker.execute(failing).catch(() => {});
    expect(breaker.retryAfterMs).toBe(2 * first);
  });

  it("stays closed, and says so, when a breaker of the user's throws", async () => {
    const reported: unknown[] = [];
    const own = Object.assign(new ConsecutiveBreaker(1), {
      failure: () => {
        throw new Error("broken");
      },
    });
    const breaker = new CircuitBreaker({ breaker: () => own }, { onError: (error) => reported.push(error) });
    await expect(breaker.execute(failing)).rejects.toThrow("down");
    expect([breaker.state, reported]).toEqual(["closed", [new Error("broken")]]);
  });

  it("is one of many that policy() takes into a pool", async () => {
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock });
    const own = cockatielCircuitBreaker(handleAll, { halfOpenAfter: 10, breaker: new ConsecutiveBreaker(1) });
    const pool = new McpConnectionPool(connector, { minConnections: 0 }, [policy("own", () => own)], { clock });
    connector.onRequest.next(judged("outcome-unknown"));
    await expect(pool.request("a")).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await expect(pool.request("b")).rejects.toSatisfy(isBrokenCircuitError);
    expect(pool.plugin("own")).toBe(own);
    await pool.close();
  });
});
