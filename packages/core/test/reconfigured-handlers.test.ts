import { describe, expect, it } from "vitest";
import type { PoolOptions } from "../src/index.ts";
import { manual } from "../src/testing/index.ts";
import { allowAboveMaximum, outcomeOf, scriptedPool } from "./scripted-pool.ts";

const roots = () => [];

describe("new options", () => {
  it.each<[string, PoolOptions, PoolOptions, boolean]>([
    ["a new kind of handlers", {}, { handlers: { roots } }, true],
    ["a kind that leases may bring", {}, { leaseHandlers: ["sampling"] }, true],
    ["a kind that is gone", { handlers: { roots } }, {}, true],
    ["another kind", { leaseHandlers: ["sampling"] }, { leaseHandlers: ["roots"] }, true],
    [
      "other words on a kind",
      { handlers: { roots } },
      { handlers: { roots, features: { roots: { listChanged: true } } } },
      true,
    ],
    ["a new function of the same kind", { handlers: { roots } }, { handlers: { roots: () => [] } }, false],
    [
      "a pool's handlers of a kind that leases could bring",
      { leaseHandlers: ["roots"] },
      { handlers: { roots } },
      false,
    ],
    [
      "words on a kind that nobody handles",
      { handlers: { roots } },
      { handlers: { roots, features: { sampling: {} } } },
      false,
    ],
  ])(
    "have servers told anew where they say something else of handlers: %s",
    async (_what, before, after, isRenewed) => {
      const { pool, connector, clock, recorder } = scriptedPool({ ...before, maxConnections: 1 });
      connector.onRequest.next(manual());
      const call = outcomeOf(pool.request("tools/call", { name: "x" }));
      await clock.settle();
      pool.reconfigure({ ...after, minConnections: 0, maxConnections: 1 });
      await pool.request("ping");
      expect(connector.connects).toHaveLength(isRenewed ? 2 : 1);
      expect(recorder.of("pool-reconfigured")).toMatchObject([{ isRenewed }]);
      expect(recorder.of("connection-retired")).toHaveLength(isRenewed ? 1 : 0);
      const { handlers } = connector.connects.at(-1) ?? {};
      expect(handlers?.roots !== undefined).toBe(after.handlers !== undefined || after.leaseHandlers?.[0] === "roots");
      allowAboveMaximum(pool);
      connector.pendingOf("request")[0]?.resolve({ content: [] });
      await clock.settle();
      expect(call.state).toBe("resolved");
    },
  );
});
