import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease } from "../src/index.ts";
import { createServerState } from "../src/pool-environment.ts";
import { acquireMany, exclusive, scriptedManager } from "./scripted-manager.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

describe("a server's limit of requests in flight", () => {
  it("holds over all its pools", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: { maxConcurrentRequests: 3 }, b: {} } });
    const identities = [undefined, "one", "two"];
    const leases = await Promise.all(identities.map((identity) => manager.acquire("a", { identity })));
    const waiting = outcomeOf(manager.acquire("a", { identity: "one" }));
    const other = outcomeOf(manager.acquire("b"));
    await clock.settle();
    expect([waiting.state, other.state]).toEqual(["pending", "resolved"]);
    leases[0]?.release();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    for (const lease of [leases[1], leases[2], waiting.value, other.value]) lease?.release();
  });

  it("opens no connection for callers who could not use it", async () => {
    const { manager, connector, clock } = scriptedManager({
      servers: { a: { ...exclusive(), maxConcurrentRequests: 2 } },
    });
    const held = await acquireMany(manager, "a", 2);
    const waiting = Array.from({ length: 5 }, () => outcomeOf(manager.acquire("a")));
    await clock.settle();
    expect(connector.connects).toHaveLength(2);
    for (const lease of held) lease.release();
    await clock.settle();
    for (let turn = 0; turn < 5; turn++) {
      for (const { value } of waiting) value?.release();
      await clock.settle();
    }
    expect(waiting.map(({ state }) => state)).toEqual(Array(5).fill("resolved"));
    expect(connector.connects).toHaveLength(2);
  });

  it("ends the wait of a pool that has no connection yet", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: { maxConcurrentRequests: 1 } } });
    const held = await manager.acquire("a");
    const waiting = outcomeOf(manager.acquire("a", { identity: "me" }));
    await clock.settle();
    expect(waiting.state).toBe("pending");
    held.release();
    await clock.settle();
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
  });

  it("strands nobody, in whatever order callers of several pools come and go", async () => {
    const step = fc.record({
      op: fc.constantFrom("acquire", "acquire", "release", "discard", "abort", "settle", "limit"),
      index: fc.nat(20),
    });
    const program = fc.array(step, { minLength: 5, maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(program, fc.integer({ min: 1, max: 3 }), async (steps, limit) => {
        const { manager, clock, options } = scriptedManager(
          { pool: { acquireTimeoutMs: 3_600_000 }, servers: { a: { maxConcurrentRequests: limit } } },
          { concurrency: 2 },
        );
        const leases: Lease[] = [];
        const callers: { controller: AbortController; outcome: { state: string } }[] = [];
        let max = limit;
        for (const { op, index } of steps) {
          switch (op) {
            case "acquire": {
              const controller = new AbortController();
              const identity = [undefined, "one", "two"][index % 3];
              const lent = manager.acquire("a", { identity, signal: controller.signal });
              callers.push({ controller, outcome: outcomeOf(lent) });
              lent.then(
                (lease) => leases.push(lease),
                () => {},
              );
              break;
            }
            case "release":
              leases.splice(index % Math.max(leases.length, 1), 1)[0]?.release();
              break;
            case "discard":
              leases.splice(index % Math.max(leases.length, 1), 1)[0]?.discard();
              break;
            case "abort":
              callers[index % Math.max(callers.length, 1)]?.controller.abort(new Error("enough"));
              break;
            case "limit":
              max = Math.max(max, 1 + (index % 3));
              await manager.reload(
                options({
                  servers: { a: { maxConcurrentRequests: 1 + (index % 3) } },
                  pool: { acquireTimeoutMs: 3_600_000 },
                }),
              );
              break;
            default:
              await clock.settle();
          }
          const inFlight = manager.poolsOf("a").reduce((sum, pool) => sum + pool.stats().inFlight, 0);
          expect(inFlight).toBeLessThanOrEqual(max);
        }
        for (let turn = 0; turn <= callers.length; turn++) {
          await clock.settle();
          for (const lease of leases.splice(0)) lease.release();
        }
        expect(callers.filter(({ outcome }) => outcome.state === "pending")).toEqual([]);
      }),
      { numRuns: 150, seed: 42 },
    );
  });

  it("leaves a key its connection for whoever waits for it, though others are told of the free unit first", async () => {
    const { pool, clock } = exclusivePool({
      maxConnections: 1,
      environment: (own, connector) => ({ server: createServerState(own, connector, 1) }),
    });
    const first = await pool.acquire({ stickyKey: "a" });
    const follower = outcomeOf(pool.acquire({ stickyKey: "a" }));
    const other = outcomeOf(pool.acquire());
    await clock.settle();
    first.release();
    await clock.settle();
    expect([follower.value?.connectionId, other.state]).toEqual([first.connectionId, "pending"]);
    follower.value?.release();
    await clock.settle();
    other.value?.release();
    expect(other.state).toBe("resolved");
  });
});
