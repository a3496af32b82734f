import { describe, expect, it } from "vitest";
import type { Judgement, PoolPlugin } from "../src/index.ts";
import { after, hang, judged } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, type ScriptedPool, scriptedPool } from "./scripted-pool.ts";

/** Runs a failed request once more, whatever it failed with. */
const twice: PoolPlugin = {
  name: "twice",
  install: () => ({ request: (next) => (request) => next(request).catch(() => next(request)) }),
};

/** Runs a request whose first attempt ends as said, and whose second one finds no connection in time. */
async function secondAttempt(judgement: Judgement): Promise<unknown> {
  const { pool, connector, clock } = exclusivePool({ maxConnections: 1, plugins: [twice], validateOnAcquire: false });
  connector.onRequest.next(after(100, judged(judgement)));
  const calling = outcomeOf(pool.request("tools/call", { name: "pay" }, { timeoutMs: 1_000 }));
  await clock.advance(50);
  connector.onConnect.always(hang());
  const lease = outcomeOf(pool.acquire());
  await clock.advance(3_000);
  expect(connector.requests).toHaveLength(1);
  lease.value?.release();
  return calling.error;
}

describe("a request that finds no room for another attempt in time", () => {
  it.each(["outcome-unknown", "answered"] as const)(
    "says that it may have run after an attempt that was %s",
    async (judgement) => {
      const error = await secondAttempt(judgement);
      expect(error).toMatchObject({ code: "TIMEOUT", phase: "request", outcome: "unknown" });
      expect(error).toHaveProperty("message", expect.stringContaining("an earlier attempt may have run"));
    },
  );

  it.each(["not-sent", "session-lost", "overloaded", "unauthorised"] as const)(
    "says that it did not run after an attempt that was %s",
    async (judgement) => {
      expect(await secondAttempt(judgement)).toMatchObject({ code: "TIMEOUT", phase: "request", outcome: "not-sent" });
    },
  );
});

describe("a caller whose time is up while given-up connects hold all places", () => {
  async function giveUp({ pool, connector, clock }: ScriptedPool): Promise<void> {
    connector.onConnect.always(hang());
    const first = outcomeOf(pool.acquire());
    await clock.advance(5_000);
    expect(first).toMatchObject({ state: "rejected", error: { code: "TIMEOUT" } });
  }

  it("hears of the connect, not of leases", async () => {
    const scripted = scriptedPool({ maxConnections: 1, connectionTimeoutMs: 5_000, acquireTimeoutMs: 2_000 });
    await giveUp(scripted);
    const second = outcomeOf(scripted.pool.acquire());
    await scripted.clock.advance(2_000);
    expect(second).toMatchObject({
      state: "rejected",
      error: { code: "CONNECTION_FAILED", cause: { phase: "connect" } },
    });
    const { message } = second.error as Error;
    expect(message).not.toContain("leases");
  });

  it("hears of them also as a request", async () => {
    const scripted = scriptedPool({ maxConnections: 1, connectionTimeoutMs: 5_000, acquireTimeoutMs: 5_000 });
    await giveUp(scripted);
    const second = outcomeOf(scripted.pool.request("ping", undefined, { timeoutMs: 1_000 }));
    await scripted.clock.advance(1_000);
    expect(second).toMatchObject({ error: { code: "TIMEOUT", outcome: "not-sent" } });
    expect(second.error).toHaveProperty("message", expect.stringContaining("did not open or close"));
  });

  it("hears of connections that do not close", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 1, acquireTimeoutMs: 2_000 });
    connector.onClose.next(hang());
    (await pool.acquire()).discard();
    const second = outcomeOf(pool.acquire());
    await clock.advance(2_000);
    expect(second).toMatchObject({ state: "rejected", error: { code: "POOL_EXHAUSTED" } });
    expect(second.error).toHaveProperty("message", expect.stringContaining("did not open or close in time"));
    expect(second.error).toHaveProperty("message", expect.not.stringContaining("leases"));
    await clock.advance(20_000);
  });
});
