import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/index.ts";
import { createServerState } from "../../src/pool-environment.ts";
import { InFlightLimit } from "../../src/server-state.ts";
import { manual } from "../../src/testing/index.ts";
import { acquireMany, exclusivePool, expectBalance, outcomeOf, scriptedPool } from "../scripted-pool.ts";

const TURNS = Array.from({ length: 15 }, (_, turns) => turns);

async function turn(count: number): Promise<void> {
  for (let each = 0; each < count; each++) await undefined;
}

/** Bugs of other pools around hand-over; the numbers are those of docs/known-bugs-of-pools.md. */
describe("handing a connection over, where other pools went wrong", () => {
  it.each(TURNS)(
    "8: an abort %i microtasks after the release loses no connection (tarn PR #67, node-mssql #1322, knex #1694)",
    async (turns) => {
      for (const kind of ["acquire", "request"] as const) {
        const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
        const lease = await pool.acquire();
        const { signal, abort } = abortable();
        const caller: { state: string; value?: unknown } =
          kind === "acquire" ? outcomeOf(pool.acquire({ signal })) : outcomeOf(pool.request("x", {}, { signal }));
        const behind = outcomeOf(pool.acquire());
        lease.release();
        await turn(turns);
        abort();
        await clock.settle();
        if (kind === "acquire") (caller.value as Lease | undefined)?.release();
        await clock.settle();
        expect([caller.state, behind.state]).toEqual([expect.stringMatching(/resolved|rejected/), "resolved"]);
        behind.value?.release();
        expectBalance({ pool, connector });
        expect(pool.stats()).toMatchObject({ inFlight: 0, leases: 0, waiting: 0 });
      }
    },
  );

  it.each(["release", "discard"] as const)(
    "13: a stale %s frees nothing of the holder who has the connection by now (tarn, generic-pool, pg-pool)",
    async (how) => {
      const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
      const former = await pool.acquire();
      former.release();
      const holder = await pool.acquire();
      const waiting = outcomeOf(pool.acquire());
      former[how]();
      await clock.settle();
      expect([waiting.state, connector.connection(1).closes, holder.isReleased]).toEqual(["pending", [], false]);
      await holder.request("ping");
      holder.release();
      await clock.settle();
      expect(waiting.state).toBe("resolved");
      waiting.value?.release();
    },
  );

  it("13: a double release during the reset lends the connection to nobody twice (lightning-pool)", async () => {
    const resets: (() => void)[] = [];
    const { pool, clock, recorder } = exclusivePool({
      maxConnections: 1,
      onRelease: () => new Promise<void>((resolve) => resets.push(resolve)),
    });
    const former = await pool.acquire();
    const callers = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    former.release();
    former.release();
    former.discard();
    await clock.settle();
    expect(resets).toHaveLength(1);
    expect(callers.map(({ state }) => state)).toEqual(["pending", "pending"]);
    resets[0]?.();
    await clock.settle();
    expect(callers.map(({ state }) => state)).toEqual(["resolved", "pending"]);
    expect(recorder.of("lease-released-again")).toHaveLength(2);
    for (const { value } of callers) {
      value?.release();
      await clock.settle();
      resets.at(-1)?.();
      await clock.settle();
      callers[1]?.value?.release();
    }
    resets.at(-1)?.();
  });

  it("19: a waiter is served though somebody releases and acquires again in one tick, for ever (HikariCP #1909, go#31708)", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 1 });
    let lease = await pool.acquire();
    const waiting = outcomeOf(pool.acquire());
    lease.release();
    const greedy = Array.from({ length: 100 }, () => pool.tryAcquire());
    const again = pool.acquire();
    await clock.settle();
    expect(greedy.every((each) => each === undefined)).toBe(true);
    expect(waiting.state).toBe("resolved");
    waiting.value?.release();
    lease = await again;
    lease.release();
  });

  it("19: newcomers who come one after the other pass nobody, whatever is free for a moment (go PR #50358)", async () => {
    const { pool, clock } = exclusivePool({ maxConnections: 2 });
    const order: number[] = [];
    const held = await acquireMany(pool, 2);
    const callers = Array.from({ length: 50 }, (_, index) =>
      pool.acquire().then(async (lease) => {
        order.push(index);
        await turn(index % 5);
        lease.release();
        pool.tryAcquire()?.release();
      }),
    );
    for (const lease of held) lease.release();
    await Promise.all(callers);
    await clock.settle();
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).toHaveLength(50);
  });

  it.each([
    ["before", -1],
    ["in", 0],
    ["after", 1],
  ])(
    "21: a release just %s the millisecond of a time-out serves its caller, or the next, or stays (concurrency-limits, clickhouse-go #1759)",
    async (_when, offsetMs) => {
      for (const releasesFirst of [true, false]) {
        const { pool, connector, clock } = exclusivePool({
          maxConnections: 1,
          acquireTimeoutMs: 1_000,
          validateOnAcquire: false,
        });
        const lease = await pool.acquire();
        const release = () => void clock.setTimer(() => lease.release(), 1_000 + offsetMs);
        if (releasesFirst) release();
        const caller = outcomeOf(pool.acquire());
        if (!releasesFirst) release();
        await clock.advance(1_001);
        expect(["resolved", "rejected"]).toContain(caller.state);
        if (offsetMs !== 0) expect(caller.state).toBe(offsetMs < 0 ? "resolved" : "rejected");
        caller.value?.release();
        expectBalance({ pool, connector });
        expect(pool.stats()).toMatchObject({ inFlight: 0, leases: 0, waiting: 0 });
        const next = pool.tryAcquire();
        expect(next, "the connection is there for the next one").toBeDefined();
        next?.release();
      }
    },
  );

  it("21: a wait ends in its time however often it is woken in between (ClickHouse #113979)", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire();
    const ahead = Array.from({ length: 12 }, () => {
      const { signal, abort } = abortable();
      return { abort, caller: outcomeOf(pool.acquire({ signal })) };
    });
    const caller = outcomeOf(pool.acquire());
    for (const { abort } of ahead) {
      await clock.advance(80);
      abort();
    }
    await clock.advance(39);
    expect(caller.state).toBe("pending");
    await clock.advance(1);
    expect(caller.error).toMatchObject({ code: "POOL_EXHAUSTED" });
    expectBalance({ pool, connector });
    lease.release();
  });

  it("22: idle connections hold no unit of the server's limit (ephpm #221, harmonia #1090)", async () => {
    const limit = new InFlightLimit(2);
    const { pool, clock } = exclusivePool({
      maxConnections: 4,
      environment: (clock, connector) => ({
        clock,
        server: { ...createServerState(clock, connector, 2), limit },
      }),
    });
    const leases = await acquireMany(pool, 2);
    expect(limit.free).toBe(0);
    for (const lease of leases) lease.release();
    expect(limit.free).toBe(2);
    expect(pool.stats().connections.idle).toBe(2);
    const again = await acquireMany(pool, 2);
    for (const lease of again) lease.discard();
    await clock.settle();
    expect(limit.free).toBe(2);
  });

  it("24: a cold burst is served on as few connections as can carry it, and only by open ones (undici #4143, computesdk #737)", async () => {
    const { pool, connector, clock } = scriptedPool({ maxConnections: 10, connector: { concurrency: 5 } });
    connector.onConnect.always(manual());
    connector.onRequest.always(manual());
    const calls = Array.from({ length: 23 }, () => outcomeOf(pool.request("x")));
    await clock.settle();
    expect(connector.connects).toHaveLength(5);
    expect(connector.requests).toHaveLength(0);
    for (const call of connector.pendingOf("connect")) call.resolve();
    await clock.settle();
    expect(connector.requests).toHaveLength(23);
    expect(connector.connections.map(({ peakInFlight }) => peakInFlight)).toEqual([5, 5, 5, 5, 3]);
    for (const call of connector.pending) call.resolve();
    await clock.settle();
    expect(calls.every(({ state }) => state === "resolved")).toBe(true);
    expect(connector.connects).toHaveLength(5);
  });

  it("34: a time-out ends its own request alone, and keeps its room until the server is done (opossum #780, #861)", async () => {
    const { pool, connector, clock } = scriptedPool({
      maxConnections: 1,
      connector: { concurrency: 2 },
      acquireTimeoutMs: 60_000,
    });
    connector.onRequest.always(() => manual());
    const impatient = outcomeOf(pool.request("a", {}, { timeoutMs: 100 }));
    const patient = outcomeOf(pool.request("b"));
    const waiting = outcomeOf(pool.request("c"));
    await clock.advance(100);
    expect([impatient.state, patient.state, waiting.state]).toEqual(["rejected", "pending", "pending"]);
    await clock.settle();
    expect(connector.connection(1).peakInFlight, "never more than the room").toBe(2);
    for (let round = 0; round < 3; round++) {
      for (const call of connector.pending) call.resolve();
      await clock.advance(10);
    }
    expect([patient.state, waiting.state]).toEqual(["resolved", "resolved"]);
    expect(connector.connection(1).peakInFlight).toBe(2);
  });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error("enough")) };
}
