import { describe, expect, it } from "vitest";
import { CircuitBreakerOpenError, McpConnectionError, McpTimeoutError } from "../src/index.ts";
import { after, fail, ok, throwing } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

const refused = new Error("connect ECONNREFUSED");

describe("a connect that fails", () => {
  it.each([
    ["rejects", fail(refused)],
    ["throws", throwing(refused)],
  ])("fails the caller at the head with the cause, when the connector %s", async (_how, step) => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1 });
    connector.onConnect.next(step);
    const outcomes = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.settle();
    const [head, next] = outcomes;
    expect(head?.error).toBeInstanceOf(McpConnectionError);
    expect(head?.error).toMatchObject({ code: "CONNECTION_FAILED", serverName: "files", cause: refused });
    expect(next?.state).toBe("resolved");
    expect(recorder.of("connection-failed")).toMatchObject([{ connectionId: 1, error: head?.error }]);
    expect(pool.stats().counters).toMatchObject({ connectFailures: 1, created: 1, errors: { connection: 1 } });
    next?.value?.release();
  });

  it.each([
    ["nothing", ok(0)],
    ["an object that is no connection", ok({})],
    ["half a connection", ok({ request: () => {}, server: undefined })],
  ])("is what a connector that returns %s amounts to", async (_what, step) => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.next(step);
    const outcome = outcomeOf(pool.acquire());
    await clock.settle();
    expect(outcome.error).toBeInstanceOf(McpConnectionError);
    expect(String(outcome.error)).toContain("must return a new connection each time");
  });

  it("is what a connector that returns a connection twice amounts to", async () => {
    const { pool, connector, clock } = exclusivePool();
    const lease = await pool.acquire();
    connector.onConnect.next(ok(connector.connection(1)));
    const outcome = outcomeOf(pool.acquire());
    await clock.settle();
    expect(outcome.error).toBeInstanceOf(McpConnectionError);
    lease.release();
  });

  it("is tried again at once after the first failure, and then with growing pauses", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.onConnect.always(fail(refused));
    clock.setRandom(1);
    const startedAt = clock.now();
    const times: number[] = [];
    const connect = connector.connect.bind(connector);
    connector.connect = (request) => {
      times.push(clock.now() - startedAt);
      return connect(request);
    };
    const outcomes = Array.from({ length: 6 }, () => outcomeOf(pool.acquire()));
    await clock.advance(10_000);
    expect(times).toEqual([0, 0, 100, 300, 700, 1_500]);
    expect(outcomes.every(({ error }) => error instanceof McpConnectionError)).toBe(true);
  });

  it("is tried again after half of the pause at the least, and 30 s at the most", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 10_000_000 });
    connector.onConnect.always(fail(refused));
    clock.setRandom(0);
    const outcomes = Array.from({ length: 20 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    expect(connector.connects).toHaveLength(2);
    await clock.advance(49);
    expect(connector.connects).toHaveLength(2);
    await clock.advance(1);
    expect(connector.connects).toHaveLength(3);
    await clock.advance(100);
    expect(connector.connects).toHaveLength(4);
    await clock.advance(60_000);
    const { length } = connector.connects;
    await clock.advance(15_000);
    expect(connector.connects).toHaveLength(length + 1);
    expect(outcomes.filter(({ state }) => state === "rejected")).toHaveLength(length + 1);
    clock.setRandom(1);
    await clock.advance(60_000);
  });

  it("is paused as the connector asks", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      connector: { connectBackoff: { initialDelayMs: 1_000, maxDelayMs: 1_500 } },
    });
    connector.onConnect.always(fail(refused));
    clock.setRandom(1);
    const outcomes = Array.from({ length: 4 }, () => outcomeOf(pool.acquire()));
    await clock.advance(999);
    expect(connector.connects).toHaveLength(2);
    await clock.advance(1);
    expect(connector.connects).toHaveLength(3);
    await clock.advance(1_500);
    expect(connector.connects).toHaveLength(4);
    expect(outcomes.every(({ state }) => state === "rejected")).toBe(true);
  });

  it("counts once together with those that were under way beside it", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 3 });
    connector.onConnect.next(after(10, fail(refused)), after(20, fail(refused)), after(30, fail(refused)));
    connector.onConnect.always(after(10));
    const outcomes = Array.from({ length: 4 }, () => outcomeOf(pool.acquire()));
    await clock.advance(40);
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected", "resolved"]);
    expect(connector.connects).toHaveLength(4);
    outcomes[3]?.value?.release();
  });

  it("leaves one connect at a time until one succeeds", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 5 });
    connector.onConnect.next(...Array.from({ length: 5 }, () => after(10, fail(refused)))).always(after(10));
    const outcomes = Array.from({ length: 8 }, () => outcomeOf(pool.acquire()));
    await clock.advance(10);
    expect(connector.connects).toHaveLength(6);
    expect(connector.occupied).toBe(1);
    await clock.advance(10);
    expect(connector.connects).toHaveLength(8);
    await clock.advance(10);
    const last = outcomes.filter(({ state }) => state === "resolved");
    expect(last).toHaveLength(3);
    for (const { value } of last) value?.release();
  });

  it("turns the event loop, whatever the connector does", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 2 });
    connector.onConnect.always(throwing(refused));
    const outcome = outcomeOf(pool.acquire());
    await clock.advance(60_000);
    expect(outcome.state).toBe("rejected");
    expect(connector.connects.length).toBeLessThan(5);
  });

  it("is forgotten when a connect succeeds: the next error tells of the next failure", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.onConnect.next(fail(refused), ok(), after(500));
    const outcomes = [outcomeOf(pool.acquire()), outcomeOf(pool.acquire())];
    await clock.settle();
    outcomes[1]?.value?.discard();
    const late = outcomeOf(pool.acquire({ timeoutMs: 100 }));
    await clock.advance(100);
    expect(late.error).toBeInstanceOf(McpTimeoutError);
  });

  it("keeps no process alive when the last caller leaves during a pause", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.onConnect.always(fail(refused));
    const controller = new AbortController();
    const outcomes = Array.from({ length: 3 }, () => outcomeOf(pool.acquire({ signal: controller.signal })));
    await clock.settle();
    expect(clock.pending.some(({ isRef }) => isRef)).toBe(true);
    controller.abort();
    await clock.settle();
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
    expect(outcomes.every(({ state }) => state === "rejected")).toBe(true);
    await clock.advance(60_000);
    expect(connector.connects).toHaveLength(2);
  });

  it("lets the pool recover by itself when the server is back", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onConnect.next(fail(refused), fail(refused), fail(refused));
    const outcomes = Array.from({ length: 20 }, () => outcomeOf(pool.request("ping")));
    await clock.advance(1_000);
    expect(outcomes.filter(({ state }) => state === "rejected")).toHaveLength(3);
    expect(outcomes.filter(({ state }) => state === "resolved")).toHaveLength(17);
  });

  it("rejects warmUp() with the cause, and lets a later one succeed", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1 });
    connector.onConnect.next(fail(refused));
    await expect(pool.warmUp()).rejects.toMatchObject({ code: "CONNECTION_FAILED", cause: refused });
    await clock.advance(1_000);
    await pool.warmUp();
    expect(pool.stats().connections.ready).toBe(1);
  });

  it("does not let warmUp() succeed while the pool backs off", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1 });
    connector.onConnect.always(fail(refused));
    const first = outcomeOf(pool.warmUp());
    await clock.settle();
    const second = outcomeOf(pool.warmUp());
    await clock.settle();
    expect(first.error).toBeInstanceOf(McpConnectionError);
    expect(second.error).toBeInstanceOf(McpConnectionError);
  });
});

describe("a connection that lives for a short while only", () => {
  it("counts as a failed connect, however well its handshake went", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1 });
    clock.setRandom(1);
    await pool.warmUp();
    for (let crash = 0; crash < 50; crash++) {
      connector.live[0]?.die(new Error("crashed"));
      await clock.advance(10);
    }
    expect(connector.connects.length).toBeLessThan(6);
  });

  it("is replaced at once when it has lived for longer", async () => {
    const { pool, connector, clock } = scriptedPool({ minConnections: 1 });
    await pool.warmUp();
    for (let life = 1; life <= 10; life++) {
      await clock.advance(10_000);
      connector.live[0]?.die(new Error("crashed"));
      await clock.settle();
      expect(connector.connects).toHaveLength(life + 1);
    }
  });
});

describe("a connect that a plugin refuses", () => {
  it("fails its caller with the plugin's error as it is, and brings on no back-off", async () => {
    const refusal = new CircuitBreakerOpenError("the circuit is open", { retryAfterMs: 5 });
    let refusals = 3;
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      plugins: [
        {
          name: "guard",
          install: () => ({
            connect: (next) => (request) => (refusals-- > 0 ? Promise.reject(refusal) : next(request)),
          }),
        },
      ],
    });
    const outcomes = Array.from({ length: 4 }, () => outcomeOf(pool.acquire()));
    await clock.settle();
    expect(outcomes.map(({ error }) => error)).toEqual([refusal, refusal, refusal, undefined]);
    expect(outcomes[3]?.state).toBe("resolved");
    expect(connector.connects).toHaveLength(1);
    outcomes[3]?.value?.release();
  });
});
