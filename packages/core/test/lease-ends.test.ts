import { describe, expect, it } from "vitest";
import { type Judgement, type PoolRequest, type Request, RequestFailure } from "../src/index.ts";
import { manual } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

const JUDGEMENTS: readonly (readonly [Judgement, boolean])[] = [
  ["not-sent", true],
  ["outcome-unknown", true],
  ["session-lost", true],
  ["answered", false],
  ["overloaded", false],
  ["timed-out", false],
  ["aborted", false],
  ["unauthorised", false],
];

describe("a lease that is released with a failure in the words of the connector", () => {
  it.each(JUDGEMENTS)("such as %s (does it cost the connection? %s)", async (judgement, isClosed) => {
    const { pool, connector, clock } = exclusivePool();
    const lease = await pool.acquire();
    lease.release(new RequestFailure(judgement, "found out by other means"));
    await clock.settle();
    expect(connector.connection(1).closes).toEqual(isClosed ? ["request-failed"] : []);
  });
});

describe("a lease that is released while a request of it is under way", () => {
  it("keeps its connection where others share it", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(manual());
    const lease = await pool.acquire();
    const request = outcomeOf(lease.request("slow"));
    lease.release();
    await clock.settle();
    expect(connector.connection(1).closes).toEqual([]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(request.state).toBe("resolved");
  });

  it("sends nothing that a plugin still holds back", async () => {
    let send: (() => void) | undefined;
    const late = (next: Request) => (request: PoolRequest) =>
      new Promise<unknown>((resolve, reject) => {
        send = () => void next(request).then(resolve, reject);
      });
    const { pool, connector, clock } = scriptedPool({
      plugins: [{ name: "late", install: () => ({ request: late }) }],
    });
    const lease = await pool.acquire();
    const request = outcomeOf(lease.request("ping"));
    lease.release();
    send?.();
    await clock.settle();
    expect(request.error).toMatchObject({
      code: "VALIDATION_FAILED",
      message: expect.stringContaining("was released"),
    });
    expect(connector.requests).toEqual([]);
  });

  it("ends with the connection, be that one that leaves its requests open", async () => {
    const { pool, connector, clock } = exclusivePool({ requestTimeoutMs: 3_600_000 });
    connector.onRequest.next({ kind: "hang" });
    const lease = await pool.acquire();
    const request = outcomeOf(lease.request("hang"));
    lease.discard();
    await clock.advance(300_000);
    expect(request.error).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(pool.stats()).toMatchObject({ inFlight: 0, connections: { total: 0 } });
    await expect(pool.request("ping")).resolves.toEqual({});
  });
});

describe("await using", () => {
  it("closes a pool", async () => {
    const { pool } = scriptedPool();
    {
      await using same = pool;
      await same.request("ping");
    }
    expect(pool.isClosed).toBe(true);
    expect(pool.stats().connections.total).toBe(0);
  });
});
