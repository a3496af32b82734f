import { describe, expect, it } from "vitest";
import { ok } from "../src/testing/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("a server that dies right after every handshake", () => {
  it("is started a bounded number of times in a minute, and each pause is told", async () => {
    const { pool, connector, clock, recorder } = scriptedPool({
      minConnections: 2,
      maxConnections: 4,
      requestTimeoutMs: 5_000,
    });
    connector.onRequest.always({ kind: "until-aborted" });
    pool.subscribe(({ type }) => {
      if (type === "connection-opened") queueMicrotask(() => connector.connections.at(-1)?.die(new Error("crash")));
    });
    for (let second = 0; second < 60; second++) {
      void outcomeOf(pool.request("ping"));
      await clock.advance(1_000);
    }
    expect(connector.connects.length).toBeGreaterThan(3);
    expect(connector.connects.length).toBeLessThanOrEqual(30);
    expect(pool.stats().counters.lost).toBe(connector.connects.length);
    const pauses = recorder.of("connects-paused");
    expect(pauses.length).toBeGreaterThan(1);
    expect(pauses.at(-1)?.strikes).toBeGreaterThan(3);
  });

  it("is used again within one pause once it stays up: the pool never gives up", async () => {
    const { pool, connector, clock } = scriptedPool({ requestTimeoutMs: 100_000, connectionTimeoutMs: 100_000 });
    let isCrashing = true;
    pool.subscribe(({ type }) => {
      if (type === "connection-opened" && isCrashing) queueMicrotask(() => connector.connections.at(-1)?.die());
    });
    connector.onRequest.always(() => (isCrashing ? { kind: "until-aborted" } : ok()));
    for (let second = 0; second < 60; second++) {
      void outcomeOf(pool.request("ping"));
      await clock.advance(1_000);
    }
    isCrashing = false;
    const waiting = outcomeOf(pool.request("ping"));
    await clock.advance(31_000);
    expect(waiting.state).toBe("resolved");
  });

  it("does not hold up the growth of a healthy one", async () => {
    const { pool, connector, clock } = scriptedPool({ sharing: "exclusive", maxConnections: 60 });
    const leases = await Promise.all(Array.from({ length: 60 }, () => pool.acquire()));
    await clock.settle();
    expect(connector.connects).toHaveLength(60);
    for (const lease of leases) lease.release();
  });
});
