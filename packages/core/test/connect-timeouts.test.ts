import { describe, expect, it } from "vitest";
import { McpConnectionError, McpTimeoutError } from "../src/index.ts";
import { after, fail, hang, manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

const refused = new Error("connect ECONNREFUSED");

describe("a connect that takes too long", () => {
  it("fails its caller in time, and closes the connection that comes late, once", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ connectionTimeoutMs: 1_000 });
    connector.onConnect.next(manual());
    const waiting = outcomeOf(pool.acquire());
    await clock.advance(999);
    expect(waiting.state).toBe("pending");
    expect(connector.connects[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(waiting.error).toBeInstanceOf(McpTimeoutError);
    expect(waiting.error).toMatchObject({ code: "TIMEOUT", phase: "connect", outcome: "not-sent" });
    expect(String(waiting.error)).toContain("1000 ms");
    expect(connector.connects[0]?.signal.reason).toMatchObject({ code: "TIMEOUT", phase: "connect" });
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(["unneeded"]);
    expect(connector.live).toEqual([]);
    expect(recorder.types).toEqual(["acquire-queued", "acquire-failed", "connection-failed"]);
    expect(pool.stats().counters).toMatchObject({ created: 0, connectFailures: 1 });
  });

  it("holds nobody else up", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 2 });
    connector.onConnect.next(hang());
    const first = outcomeOf(pool.acquire());
    const second = outcomeOf(pool.acquire());
    await clock.settle();
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    first.value?.release();
    await clock.settle();
    expect(second.state).toBe("resolved");
    second.value?.release();
  });

  it("goes on for others when the caller's own time is shorter than it takes", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onConnect.always(after(500));
    const outcomes = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      outcomes.push(outcomeOf(pool.request("ping", {}, { timeoutMs: 200 })));
      await clock.advance(200);
    }
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "rejected", "resolved"]);
    expect(connector.connects).toHaveLength(1);
  });

  it("ends a request too that has more time", async () => {
    const { pool, connector, clock } = scriptedPool({ connectionTimeoutMs: 1_000 });
    connector.onConnect.next(after(2_000));
    const request = outcomeOf(pool.request("ping"));
    await clock.advance(1_000);
    expect(request.error).toMatchObject({ code: "TIMEOUT", phase: "connect" });
  });

  it("ends a wait that goes from one failing connect to the next, in connectionTimeoutMs all told", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 1_000 });
    connector.onConnect.always(after(300, fail(refused)));
    const outcomes = Array.from({ length: 9 }, () => outcomeOf(pool.acquire()));
    await clock.advance(999);
    const last = outcomes.at(-1);
    expect(last?.state).toBe("pending");
    await clock.advance(1);
    expect(last?.error).toBeInstanceOf(McpConnectionError);
    expect(last?.error).toMatchObject({ cause: { cause: refused } });
  });
});

describe("a connect whose time is up", () => {
  it("is a time-out, also where the connector notices first", async () => {
    const { pool, connector, clock } = scriptedPool({ connectionTimeoutMs: 1_000 });
    const cause = new Error("the handshake took too long");
    connector.onConnect.next(after(999.5, fail(cause)));
    const request = outcomeOf(pool.request("ping"));
    await clock.advance(1_000);
    expect(request.error).toMatchObject({ code: "TIMEOUT", phase: "connect", outcome: "not-sent", cause });
  });
});
