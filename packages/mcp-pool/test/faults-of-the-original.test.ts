import { readFileSync } from "node:fs";
import { after, fail, judged, manual, ok, untilAborted } from "@mcp-pool/core/testing";
import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, it } from "vitest";
import { codeOf, type FullStack, fullStack, PLUGINS, settled } from "./full-stack.ts";
import { managerOf } from "./real-servers.ts";

const PAY = { name: "pay" };

/** One connection at most, lent to one at a time. */
const SINGLE = { sharing: "exclusive", maxConnections: 1, acquireTimeoutMs: 1_000 } as const;

async function callMany({ manager, clock }: FullStack, count: number) {
  const outcomes = [];
  for (let call = 0; call < count; call++) {
    outcomes.push(settled(manager.callTool("files", PAY)));
    await clock.advance(500);
  }
  return outcomes;
}

describe("errors", () => {
  it("of a full pool say that it is full, and those of an open circuit that it is open", async () => {
    const stack = fullStack(["files"], { pool: SINGLE });
    const lease = await stack.manager.acquire("files");
    const full = settled(stack.manager.callTool("files", PAY));
    await stack.clock.advance(1_000);
    stack.manager.circuitBreaker("files").forceOpen();
    const [open] = await callMany(stack, 1);
    expect([codeOf(full), open && codeOf(open)]).toEqual(["POOL_EXHAUSTED", "CIRCUIT_OPEN"]);
    lease.release();
  });
});

describe("the circuit of a server", () => {
  it("stays closed when the server is only full", async () => {
    const { manager, clock } = fullStack(["files"], { pool: SINGLE });
    const lease = await manager.acquire("files");
    const calls = Array.from({ length: 50 }, () => settled(manager.callTool("files", PAY)));
    await clock.advance(1_000);
    expect(calls.every((call) => codeOf(call) === "POOL_EXHAUSTED")).toBe(true);
    expect(manager.circuitBreaker("files").getStats()).toMatchObject({ state: "closed", failureCount: 0 });
    lease.release();
  });

  it("is opened by calls that fail, and closed by calls that succeed", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, connector } = stack;
    connector("files").onRequest.always(judged("outcome-unknown"));
    await callMany(stack, 50);
    expect(manager.circuitBreaker("files").state).toBe("open");
    connector("files").onRequest.always(ok({ content: [] }));
    for (let second = 0; second < 30; second++) {
      void settled(manager.callTool("files", PAY));
      await clock.advance(1_000);
    }
    expect(manager.circuitBreaker("files").state).toBe("closed");
  });

  it("lets one of a hundred through when it is half-open", async () => {
    const [retries, circuit] = PLUGINS;
    const stack = fullStack(["files"], { plugins: [retries, circuit].filter((each) => each !== undefined) });
    const { manager, clock, connector } = stack;
    connector("files").onRequest.always(judged("outcome-unknown"));
    await callMany(stack, 8);
    await clock.advance(10_000);
    connector("files").onRequest.always(manual());
    const before = connector("files").requests.length;
    const calls = Array.from({ length: 100 }, () => settled(manager.callTool("files", PAY)));
    await clock.settle();
    expect(connector("files").requests.length - before).toBe(1);
    expect(calls.filter((call) => codeOf(call) === "CIRCUIT_OPEN")).toHaveLength(99);
    connector("files").pending[0]?.resolve();
  });

  it("stays forced open over the next checks", async () => {
    const { manager, clock } = fullStack(["files"]);
    await manager.callTool("files", PAY);
    manager.circuitBreaker("files").forceOpen();
    await clock.advance(60_000);
    expect(manager.circuitBreaker("files").getStats()).toMatchObject({ state: "open", forced: true });
  });

  it("is not kept open by failures that come late", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, connector } = stack;
    connector("files").onRequest.next(after(5_000, judged("outcome-unknown")));
    void settled(manager.callTool("files", PAY));
    await clock.settle();
    connector("files").onRequest.always(judged("outcome-unknown"));
    await callMany(stack, 8);
    const before = manager.circuitBreaker("files").getStats();
    const untilOpen = clock.now() + (before.retryAfterMs ?? 0);
    await clock.advance(2_000);
    const { retryAfterMs = 0 } = manager.circuitBreaker("files").getStats();
    expect(clock.now() + retryAfterMs).toBeCloseTo(untilOpen, 3);
  });
});

describe("a pool", () => {
  it("with as many connections at least as at most is usable", async () => {
    const { manager } = fullStack(["files"], { pool: { minConnections: 2, maxConnections: 2 } });
    await manager.warmUp();
    expect(await manager.callTool("files", PAY)).toEqual({ content: [] });
  });

  it("keeps its minimum when idle connections are closed, and fills it up again, at the interval it was told", async () => {
    const { manager, clock, connector } = fullStack(["files"], {
      pool: {
        minConnections: 2,
        maxConnections: 4,
        maxIdleTimeMs: 5_000,
        cleanupIntervalMs: 1_000,
        sharing: "exclusive",
      },
    });
    const leases = await Promise.all(Array.from({ length: 4 }, () => manager.acquire("files")));
    for (const lease of leases) lease.release();
    await clock.advance(6_500);
    expect(manager.pool("files").stats().connections.ready).toBe(2);
    for (const connection of connector("files").live) connection.die();
    await clock.advance(2_000);
    expect(manager.pool("files").stats().connections.ready).toBe(2);
  });

  it("wakes those who wait when a connection is removed, and when it closes", async () => {
    const { manager, clock } = fullStack(["files"], { pool: { ...SINGLE, acquireTimeoutMs: 60_000 } });
    const lease = await manager.acquire("files");
    const waiting = [settled(manager.acquire("files")), settled(manager.acquire("files"))];
    await clock.settle();
    lease.discard();
    await clock.settle();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "pending"]);
    void manager.close({ drainTimeoutMs: 0 });
    await clock.settle();
    expect(waiting[1] && codeOf(waiting[1])).toBe("POOL_CLOSED");
  });

  it("does not lend a connection again whose transport has failed", async () => {
    const stack = fullStack(["files"]);
    stack.connector("files").onRequest.next(judged("outcome-unknown"));
    await callMany(stack, 2);
    expect(stack.connector("files").requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it("lends nothing twice after a double release, and closes nothing that is lent", async () => {
    const { manager, clock, connector } = fullStack(["files"], {
      pool: { ...SINGLE, maxIdleTimeMs: 1_000, cleanupIntervalMs: 500 },
    });
    const first = await manager.acquire("files");
    first.release();
    const second = await manager.acquire("files");
    first.release();
    expect(manager.pool("files").tryAcquire()).toBeUndefined();
    await clock.advance(30_000);
    expect(connector("files").connection(1).closes).toEqual([]);
    second.release();
  });

  it("opens connections side by side: eight of 100 ms take 100 ms", async () => {
    const { manager, clock, connector } = fullStack(["files"], { pool: { sharing: "exclusive", maxConnections: 8 } });
    connector("files").onConnect.always(after(100, ok()));
    const leases = Array.from({ length: 8 }, () => settled(manager.acquire("files")));
    await clock.advance(100);
    expect(leases.every(({ state }) => state === "resolved")).toBe(true);
    for (const { value } of leases) (value as { release(): void }).release();
  });

  it("shrinks: what is not needed ages out, since the connection used last is used first", async () => {
    const { manager, clock } = fullStack(["files"], {
      pool: { sharing: "exclusive", maxConnections: 4, maxIdleTimeMs: 5_000, cleanupIntervalMs: 1_000 },
    });
    const leases = await Promise.all(Array.from({ length: 4 }, () => manager.acquire("files")));
    for (const lease of leases) lease.release();
    for (let second = 0; second < 10; second++) {
      await manager.callTool("files", PAY);
      await clock.advance(1_000);
    }
    expect(manager.pool("files").stats().connections.total).toBe(1);
  });

  it("really opens, checks and closes its connections", async () => {
    const { manager, clock, connector } = fullStack(["files"]);
    await manager.callTool("files", PAY);
    connector("files").onProbe.always(fail(new Error("dead")));
    const check = settled(manager.checkHealth("files"));
    await clock.settle();
    expect(check.value).toMatchObject({ checksFailed: 1 });
    await manager.close();
    expect(connector("files").connection(1).closes).toHaveLength(1);
  });

  it("keeps below the cap on all connections", async () => {
    const names = ["a", "b", "c", "d"];
    const { manager, clock, connector } = fullStack(names, {
      pool: { sharing: "exclusive", maxConnections: 4 },
      settings: { maxTotalConnections: 3 },
    });
    for (const name of names) connector(name).onRequest.always(after(100, ok({ content: [] })));
    const calls = names.flatMap((name) => Array.from({ length: 5 }, () => settled(manager.callTool(name, PAY))));
    for (let step = 0; step < 100; step++) {
      expect(manager.stats().totalConnections).toBeLessThanOrEqual(3);
      await clock.advance(100);
    }
    expect(calls.every(({ state }) => state === "resolved")).toBe(true);
  });

  it("counts what is in use down as well as up, and the total right", async () => {
    const { manager, clock, connector } = fullStack(["files"]);
    connector("files").onRequest.always(manual());
    const call = settled(manager.callTool("files", PAY));
    await clock.settle();
    expect(manager.getPoolMetrics("files").connections).toMatchObject({ total: 1, active: 1 });
    connector("files").pending[0]?.resolve();
    await clock.settle();
    expect(call.state).toBe("resolved");
    expect(manager.getPoolMetrics("files").connections).toMatchObject({ total: 1, active: 0 });
    connector("files").onRequest.always(untilAborted());
  });
});

describe("a command line", () => {
  it("reaches the server as it was written, spaces included", { timeout: 60_000 }, async () => {
    const { command, args, env } = stdioTestServer();
    const odd = ["an argument with spaces", 'quotes " and $HOME', ""];
    const manager = await managerOf({ mcpServers: { files: { command, args: [...args, ...odd], env } } });
    const { structuredContent } = await manager.callTool("files", { name: "session-info", arguments: {} });
    const { pid } = structuredContent as { pid: number };
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(-4, -1)).toEqual(odd);
  });
});
