import { fail, judged, ok, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { codeOf, type FullStack, fullStack, settled } from "./full-stack.ts";
import { ledgeredServer, managerOf } from "./real-servers.ts";

const PAY = { name: "pay" };

/** Fails calls until the circuit is open. */
async function openCircuit({ manager, clock, connector }: FullStack): Promise<void> {
  connector("files").onRequest.always(judged("outcome-unknown"));
  for (let call = 0; call < 20 && manager.circuitBreaker("files").state === "closed"; call++) {
    void settled(manager.callTool("files", PAY));
    await clock.advance(500);
  }
  expect(manager.circuitBreaker("files").state).toBe("open");
}

describe("health checks and the circuit breaker, side by side", () => {
  it("open the circuit after three failed checks, and close it after two good ones", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, recorder, connector } = stack;
    await manager.callTool("files", PAY);
    connector("files").onProbe.always(untilAborted());
    connector("files").onConnect.always(fail(new Error("refused")));
    await clock.advance(12_500);
    expect(manager.circuitBreaker("files").state).toBe("closed");
    await clock.advance(5_000);
    expect(manager.circuitBreaker("files").state).toBe("open");
    expect(recorder.of("health-check-failed").map(({ failuresInRow }) => failuresInRow)).toEqual([1, 2, 3]);
    connector("files").onProbe.always(ok());
    connector("files").onConnect.always(ok());
    await clock.advance(12_000);
    expect(manager.circuitBreaker("files").state).toBe("closed");
    const changes = recorder.of("circuit-state-changed").map(({ from, to }) => `${from} ${to}`);
    expect(changes).toEqual(["closed open", "open half-open", "half-open closed"]);
    expect(manager.health("files")).toMatchObject({ status: "healthy", consecutiveFailures: 0 });
  });

  it("let an open circuit recover without spending a caller's call", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, connector } = stack;
    await openCircuit(stack);
    const calls = connector("files").requests.length;
    connector("files").onRequest.always(ok());
    await clock.advance(12_500);
    expect(manager.circuitBreaker("files").state).toBe("closed");
    expect(connector("files").requests).toHaveLength(calls);
  });

  it("leave the first trial to the probe, however many callers there are", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, connector } = stack;
    await openCircuit(stack);
    connector("files").onConnect.always(untilAborted());
    const before = connector("files").requests.length;
    const outcomes = [];
    for (let step = 0; step < 100; step++) {
      outcomes.push(settled(manager.callTool("files", PAY)));
      await clock.advance(105);
    }
    expect(outcomes.slice(0, 95).map(codeOf)).toEqual(Array.from({ length: 95 }, () => "CIRCUIT_OPEN"));
    expect(connector("files").requests).toHaveLength(before);
  });

  it("leave it to a caller after a while, should no probe come", async () => {
    const stack = fullStack(["files"], { settings: { maxTotalConnections: 1 } });
    const { manager, clock } = stack;
    await openCircuit(stack);
    manager.pool("files").subscribe(() => {});
    await clock.advance(26_000);
    expect(manager.circuitBreaker("files").state).not.toBe("open");
  });

  it("never touch a forced state", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, connector } = stack;
    await manager.callTool("files", PAY);
    manager.circuitBreaker("files").forceClose();
    connector("files").onProbe.always(fail(new Error("dead")));
    await clock.advance(60_000);
    expect(manager.circuitBreaker("files").getStats()).toMatchObject({ state: "closed", forced: true });
    manager.circuitBreaker("files").forceOpen();
    connector("files").onProbe.always(ok());
    await clock.advance(60_000);
    expect(manager.circuitBreaker("files").getStats()).toMatchObject({ state: "open", forced: true });
  });

  it("open again when the server that came back dies at once", async () => {
    const stack = fullStack(["files"]);
    const { manager, clock, connector, recorder } = stack;
    await openCircuit(stack);
    let isCrashing = true;
    manager.subscribe(({ type }) => {
      if (type === "connection-opened" && isCrashing) {
        clock.setTimer(() => connector("files").connections.at(-1)?.die(new Error("crash")), 50);
      }
    });
    await clock.advance(60_000);
    expect(recorder.of("circuit-state-changed").some(({ to }) => to === "closed")).toBe(false);
    isCrashing = false;
    connector("files").onRequest.always(ok());
    await clock.advance(45_000);
    expect(manager.circuitBreaker("files").state).toBe("closed");
  });

  it("answer manager.health() for all servers, and manager.checkHealth() by asking them", async () => {
    const { manager, clock, connector } = fullStack(["files", "search"]);
    expect(manager.health()).toMatchObject({ files: { status: "unknown" }, search: { status: "unknown" } });
    connector("search").onConnect.always(fail(new Error("refused")));
    const check = settled(manager.checkHealth());
    await clock.advance(1_000);
    expect(check.value).toMatchObject({ files: { status: "healthy" }, search: { consecutiveFailures: 1 } });
  });
});

describe("a broken server", () => {
  it.each([
    ["refuses connections", fail(new Error("refused")), 2],
    ["never finishes its handshake", untilAborted(), 100],
  ])("that %s neither slows nor fails calls to the others, and holds no room of theirs", async (_how, step, max) => {
    const { manager, clock, connector } = fullStack(["broken", "sound"], { settings: { maxTotalConnections: max } });
    connector("broken").onConnect.always(step);
    connector("sound").onRequest.always({ kind: "after", delayMs: 100, next: ok({ content: [] }) });
    const tookMs: number[] = [];
    for (let round = 0; round < 60; round++) {
      for (let call = 0; call < 20; call++) void settled(manager.callTool("broken", PAY));
      const calls = Array.from({ length: 16 }, () => {
        const startedAt = clock.now();
        return settled(manager.callTool("sound", PAY).then(() => void tookMs.push(clock.now() - startedAt)));
      });
      await clock.advance(1_000);
      expect(calls.every(({ state }) => state === "resolved")).toBe(true);
    }
    expect(tookMs).toHaveLength(60 * 16);
    expect(Math.max(...tookMs)).toBe(100);
    expect(manager.circuitBreaker("sound").getStats()).toMatchObject({ state: "closed", failureCount: 0 });
  });

  it("is connected to a bounded number of times while it crashes, and used again within one check once it stays up", async () => {
    const { manager, clock, connector, recorder } = fullStack(["files"], { pool: { minConnections: 1 } });
    let isCrashing = true;
    manager.subscribe(({ type }) => {
      if (type === "connection-opened" && isCrashing) {
        queueMicrotask(() => connector("files").connections.at(-1)?.die(new Error("crash")));
      }
    });
    connector("files").onRequest.always(() => (isCrashing ? untilAborted() : ok({ content: [] })));
    for (let second = 0; second < 60; second++) {
      void settled(manager.callTool("files", PAY));
      await clock.advance(1_000);
    }
    expect(connector("files").connects.length).toBeLessThanOrEqual(30);
    expect(recorder.of("connection-opened")).toHaveLength(connector("files").connects.length);
    isCrashing = false;
    await clock.advance(45_000);
    const call = settled(manager.callTool("files", PAY));
    await clock.advance(1_000);
    expect(call.state).toBe("resolved");
  });
});

describe("a real server that is busy in one synchronous tool", () => {
  it("survives its checks, and finishes", { timeout: 60_000 }, async () => {
    const { config, processes } = ledgeredServer();
    const manager = await managerOf({
      mcpServers: { files: config },
      pool: { minConnections: 0, healthCheck: { intervalMs: 200, timeoutMs: 100, failureThreshold: 1 } },
    });
    const failed: unknown[] = [];
    manager.subscribe((event) => failed.push(event), ["health-check-failed", "connection-closed"]);
    expect(await manager.callTool("files", { name: "busy", arguments: { ms: 1_500 } })).toMatchObject({
      content: [{}],
    });
    expect([failed, processes().length]).toEqual([[], 1]);
  });
});
