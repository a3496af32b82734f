import { describe, expect, it } from "vitest";
import { type Lease, type McpConnectionPool, McpPoolClosedError, McpPoolExhaustedError } from "../src/index.ts";
import { createServerState } from "../src/pool-environment.ts";
import { after, fail, hang } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf } from "./scripted-pool.ts";

/** Uses a key once, and returns the number of its connection. */
async function touch(pool: McpConnectionPool, stickyKey: string): Promise<number> {
  const lease = await pool.acquire({ stickyKey });
  lease.release();
  return lease.connectionId;
}

describe("the line for a sticky key's connection", () => {
  it("has its callers wait for its own connection, in their order, though others are free", async () => {
    const { pool, clock } = exclusivePool();
    const holder = await pool.acquire({ stickyKey: "alice" });
    (await pool.acquire()).release();
    const order: string[] = [];
    const next = ["b", "c"].map((name) =>
      pool.acquire({ stickyKey: "alice" }).then((lease) => {
        order.push(`${name}${lease.connectionId}`);
        lease.release();
      }),
    );
    await clock.settle();
    expect([order, pool.stats().waiting]).toEqual([[], 2]);
    holder.release();
    await Promise.all(next);
    expect(order).toEqual(["b1", "c1"]);
  });

  it("opens one connection for callers that come together", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.always(after(100));
    const outcomes = Array.from({ length: 3 }, () => outcomeOf(pool.acquire({ stickyKey: "alice" })));
    await clock.advance(100);
    expect(outcomes.map(({ state }) => state)).toEqual(["resolved", "pending", "pending"]);
    outcomes[0]?.value?.release();
    await clock.settle();
    outcomes[1]?.value?.release();
    await clock.settle();
    outcomes[2]?.value?.release();
    expect(outcomes.map(({ value }) => value?.connectionId)).toEqual([1, 1, 1]);
    expect(connector.connects).toHaveLength(1);
  });

  it("lets the next caller take the lead when the first one leaves", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.always(after(100));
    const controller = new AbortController();
    const first = outcomeOf(pool.acquire({ stickyKey: "alice", signal: controller.signal }));
    const second = outcomeOf(pool.acquire({ stickyKey: "alice" }));
    const third = outcomeOf(pool.acquire({ stickyKey: "alice" }));
    await clock.advance(10);
    controller.abort("enough");
    await clock.advance(200);
    expect([first.error, second.state, third.state]).toEqual(["enough", "resolved", "pending"]);
    second.value?.release();
    await clock.settle();
    expect(third.value?.connectionId).toBe(second.value?.connectionId);
    third.value?.release();
  });

  it("lets the next caller take the lead when the connect of the first one fails", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.next(fail(new Error("refused")));
    const [first, second] = [outcomeOf(pool.acquire({ stickyKey: "a" })), outcomeOf(pool.acquire({ stickyKey: "a" }))];
    await clock.settle();
    expect([first.state, second.state]).toEqual(["rejected", "resolved"]);
    second.value?.release();
  });

  it("forgets a key whose only caller left", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onConnect.next(after(100));
    const controller = new AbortController();
    const outcome = outcomeOf(pool.acquire({ stickyKey: "alice", signal: controller.signal }));
    controller.abort();
    await clock.settle();
    expect(outcome.state).toBe("rejected");
    expect(await touch(pool, "alice")).toBe(2);
  });

  it("ends the wait of its callers after acquireTimeoutMs, and on close", async () => {
    const { pool, clock } = exclusivePool({ acquireTimeoutMs: 1_000 });
    const lease = await pool.acquire({ stickyKey: "alice" });
    const late = outcomeOf(pool.acquire({ stickyKey: "alice" }));
    await clock.advance(1_000);
    expect(late.error).toBeInstanceOf(McpPoolExhaustedError);
    const closed = outcomeOf(pool.acquire({ stickyKey: "alice" }));
    void pool.close();
    await clock.settle();
    expect(closed.error).toBeInstanceOf(McpPoolClosedError);
    lease.release();
  });

  it("has callers wait for a connection that is still being opened as long as connectionTimeoutMs allows", async () => {
    const { pool, connector, clock } = exclusivePool({ acquireTimeoutMs: 1_000 });
    connector.onConnect.always(after(5_000));
    const [first, second] = [outcomeOf(pool.acquire({ stickyKey: "a" })), outcomeOf(pool.acquire({ stickyKey: "a" }))];
    await clock.advance(5_000);
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    first.value?.release();
    await clock.settle();
    expect(second.state).toBe("resolved");
    second.value?.release();
  });

  it("charges callers the time in which its connection is taken, and not that in which it is opened", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, acquireTimeoutMs: 1_000 });
    const holder = await pool.acquire();
    connector.onConnect.always(after(5_000));
    const [first, second] = [outcomeOf(pool.acquire({ stickyKey: "a" })), outcomeOf(pool.acquire({ stickyKey: "a" }))];
    await clock.advance(600);
    holder.discard();
    await clock.advance(5_399);
    expect([first.state, second.state]).toEqual(["resolved", "pending"]);
    await clock.advance(1);
    expect(second.error).toBeInstanceOf(McpPoolExhaustedError);
    first.value?.release();
  });

  it("asks the plugins once more when its turn comes", async () => {
    const refusal = new McpPoolExhaustedError("not now");
    let isOpen = true;
    const { pool, clock } = exclusivePool({
      plugins: [{ name: "gate", install: () => ({ admit: () => (isOpen ? undefined : refusal) }) }],
    });
    const lease = await pool.acquire({ stickyKey: "alice" });
    const waiting = outcomeOf(pool.acquire({ stickyKey: "alice" }));
    isOpen = false;
    lease.release();
    await clock.settle();
    expect(waiting.error).toBe(refusal);
    isOpen = true;
    expect(await touch(pool, "alice")).toBe(1);
  });

  it("waits for the server's in-flight limit like everybody, and holds nobody up meanwhile", async () => {
    const { pool, clock } = exclusivePool({
      environment: (own, connector) => ({ server: createServerState(own, connector, 1) }),
    });
    await touch(pool, "alice");
    const other = await pool.acquire();
    const waiting = outcomeOf(pool.acquire({ stickyKey: "alice" }));
    const controller = new AbortController();
    const leaving = outcomeOf(pool.acquire({ signal: controller.signal }));
    controller.abort();
    await clock.settle();
    expect([waiting.state, leaving.state]).toEqual(["pending", "rejected"]);
    other.discard();
    await clock.settle();
    expect([waiting.state, (waiting.value as Lease | undefined)?.connectionId]).toEqual(["resolved", 1]);
    waiting.value?.release();
  });

  it("does not hang a pool whose keys all wait for a server that never answers", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, connectionTimeoutMs: 1_000 });
    connector.onConnect.always(hang());
    const outcomes = ["a", "a", "b", "b"].map((stickyKey) => outcomeOf(pool.acquire({ stickyKey })));
    await clock.advance(60_000);
    expect(outcomes.map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
    expect(pool.stats().waiting).toBe(0);
  });
});
