import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Lease, McpConnectionPool } from "../src/index.ts";
import { createServerState } from "../src/pool-environment.ts";
import { FakeClock, ScriptedConnector } from "../src/testing/index.ts";

const step = fc.record({
  op: fc.constantFrom("acquire", "acquire", "request", "release", "release", "discard", "limit", "look", "settle"),
  index: fc.nat(20),
});

const LIMITS = [1, 2, 3, Infinity, Infinity];

describe("a limit that two pools share", () => {
  it("knows of all that is in flight, however often it comes and goes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 50, size: "max" }), async (steps) => {
        const clock = new FakeClock();
        const connector = new ScriptedConnector({ clock });
        const server = createServerState(clock, connector, Infinity);
        const options = {
          sharing: "exclusive",
          maxConnections: 2,
          minConnections: 0,
          acquireTimeoutMs: 3_600_000,
        } as const;
        const pools = ["a", "b"].map(
          (name) => new McpConnectionPool(connector, { name, ...options }, [], { clock, server }),
        );
        const held: Lease[] = [];
        const inFlight = () => pools.reduce((sum, pool) => sum + pool.stats().inFlight, 0);
        let bound = Infinity;
        let waiting = 0;
        for (const { op, index } of steps) {
          const pool = pools[index % 2];
          switch (op) {
            case "acquire":
              waiting++;
              void pool?.acquire().then((lease) => {
                waiting--;
                held.push(lease);
              });
              break;
            case "request":
              void pool?.request("a");
              break;
            case "release":
              held.splice(index % Math.max(held.length, 1), 1)[0]?.release();
              break;
            case "discard":
              held.splice(index % Math.max(held.length, 1), 1)[0]?.discard();
              break;
            case "limit":
              server.limit.max = LIMITS[index % LIMITS.length] ?? Infinity;
              // Those beyond it go on.
              bound = Math.max(server.limit.max, inFlight());
              break;
            case "look":
              expect(inFlight()).toBeLessThanOrEqual(bound);
              bound = Math.max(server.limit.max, inFlight());
              break;
            default:
              await clock.settle();
          }
        }
        for (let turn = 0; turn < 60; turn++) {
          await clock.settle();
          for (const lease of held.splice(0)) lease.release();
        }
        expect(waiting).toBe(0);
        server.limit.max = 4;
        expect(server.limit.free).toBe(4);
        await Promise.all(pools.map((pool) => pool.close()));
      }),
      { numRuns: 300, seed: 42 },
    );
  });
});
