import { describe, expect, it } from "vitest";
import { after, fail } from "../src/testing/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("a warm-up after a failed connect", () => {
  it("ends when the whole minimum is open, though connects are made one at a time", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, maxConnections: 4 });
    connector.onConnect.next(fail(new Error("refused")), fail(new Error("refused")));
    await expect(pool.warmUp()).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    await clock.advance(31_000);
    let readyAtTheEnd: number | undefined;
    const warm = pool.warmUp().then(() => {
      readyAtTheEnd = pool.stats().connections.ready;
    });
    await clock.advance(1_000);
    await warm;
    expect(readyAtTheEnd).toBe(2);
  });

  it("waits for each of them as long as it takes", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, maxConnections: 4 });
    connector.onConnect.next(fail(new Error("refused"))).always(after(500));
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    const warm = outcomeOf(pool.warmUp());
    await clock.advance(501);
    expect([warm.state, pool.stats().connections.ready]).toEqual(["pending", 1]);
    await clock.advance(500);
    expect([warm.state, pool.stats().connections.ready]).toEqual(["resolved", 2]);
  });

  it("fails when the second of them fails", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2, maxConnections: 4 });
    connector.onConnect.next(fail(new Error("refused")), after(500), after(500, fail(new Error("again"))));
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    const warm = outcomeOf(pool.warmUp());
    await clock.advance(2_000);
    expect(warm).toMatchObject({ state: "rejected", error: { code: "CONNECTION_FAILED" } });
  });
});
