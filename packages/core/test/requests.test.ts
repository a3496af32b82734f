import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import {
  failureOf,
  type Judgement,
  judgementOf,
  McpConnectionError,
  McpOutcomeUnknownError,
  type McpPoolError,
  McpSessionLostError,
  McpTimeoutError,
  McpValidationError,
  RequestFailure,
} from "../src/index.ts";
import { fail, hang, judged, manual, ok, throwing, untilAborted } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

describe("a request", () => {
  it("resolves with the result as it came", async () => {
    const { pool, connector, recorder } = scriptedPool();
    const result = { content: [], extra: 1 };
    connector.onRequest.next(ok(result));
    expect(await pool.request("tools/call", { name: "echo" })).toBe(result);
    expect(recorder.of("request-finished")).toMatchObject([
      { connectionId: 1, method: "tools/call", target: "echo", judgement: "ok", isToolError: false, isHit: false },
    ]);
    expect(pool.stats().counters).toMatchObject({ requests: 1, requestErrors: 0, borrowed: 1, returned: 1 });
  });

  it("carries parameters, meta, headers and progress to the connection", async () => {
    const { pool, connector } = scriptedPool();
    const onProgress = () => {};
    const headers = { "x-a": "1" };
    await pool.request(
      "tools/call",
      { name: "a", _meta: { own: 1 } },
      { meta: { own: 2, trace: "t" }, headers, onProgress },
    );
    expect(connector.requests[0]).toMatchObject({
      method: "tools/call",
      params: { name: "a", _meta: { own: 1, trace: "t" } },
      options: { headers, onProgress },
    });
  });

  it("speaks MCP through the pool's client", async () => {
    const { pool, connector } = scriptedPool();
    connector.onRequest.next(ok({ content: [], isError: true }));
    expect(await pool.client.callTool({ name: "a" })).toEqual({ content: [], isError: true });
    expect(pool.stats().counters).toMatchObject({ requestErrors: 0, errors: { tool: 1 } });
    await expect(pool.client.callTool({ name: "" })).rejects.toBeInstanceOf(McpValidationError);
    expect(connector.requests).toHaveLength(1);
  });

  it("gives an attempt a signal of its own, whatever the caller's is", async () => {
    const { pool, connector } = scriptedPool();
    const { signal } = new AbortController();
    await pool.request("a", {}, { signal });
    await pool.request("b", {}, { signal });
    const own = connector.requests.map(({ options }) => options.signal);
    expect(new Set([signal, ...own]).size).toBe(3);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each<[Judgement, "kept" | "retired", new (...args: never[]) => McpPoolError, Partial<McpTimeoutError>]>([
    ["not-sent", "retired", McpConnectionError, {}],
    ["outcome-unknown", "retired", McpOutcomeUnknownError, {}],
    ["session-lost", "retired", McpConnectionError, {}],
    ["overloaded", "kept", McpConnectionError, {}],
    ["unauthorised", "kept", McpConnectionError, {}],
    ["timed-out", "kept", McpTimeoutError, { phase: "request", outcome: "unknown" }],
  ])(
    "judged as %s leaves the connection %s, and rejects with the right error",
    async (judgement, fate, errorClass, more) => {
      const { pool, connector, clock, recorder } = scriptedPool();
      const cause = new Error("as the SDK raised it");
      connector.onRequest.next(judged(judgement, "because", { cause, retryAfterMs: 7 }));
      const request = outcomeOf(pool.request("tools/call", { name: "echo" }));
      await clock.settle();
      expect(request.error).toBeInstanceOf(errorClass);
      expect(request.error).toMatchObject({ serverName: "files", cause, ...more });
      expect(String(request.error)).toContain('tools/call "echo" on MCP server "files"');
      expect(judgementOf(request.error)).toBe(judgement);
      expect(failureOf(request.error)?.retryAfterMs).toBe(7);
      if (judgement === "overloaded") expect(request.error).toMatchObject({ retryAfterMs: 7 });
      expect(connector.connection(1).closes).toEqual(fate === "kept" ? [] : ["request-failed"]);
      expect(recorder.of("request-finished")).toMatchObject([{ judgement, error: request.error }]);
      expect(pool.stats().counters.requestErrors).toBe(1);
      expect(pool.stats().inFlight).toBe(0);
    },
  );

  it("tells the holder of an exclusive connection that the session is lost", async () => {
    const { pool, connector, clock } = exclusivePool();
    connector.onRequest.next(judged("session-lost"));
    const lease = await pool.acquire();
    await expect(lease.request("ping")).rejects.toBeInstanceOf(McpSessionLostError);
    lease.release();
    await clock.settle();
    expect(connector.live).toEqual([]);
  });

  it("passes the server's own JSON-RPC error through, and keeps the connection", async () => {
    const { pool, connector, clock } = scriptedPool();
    const error = Object.assign(new Error("Unknown tool"), { code: -32602, data: { tool: "x" } });
    connector.onRequest.next(judged("answered", "Unknown tool", { cause: error }));
    await expect(pool.request("tools/call", { name: "x" })).rejects.toBe(error);
    await clock.settle();
    expect(judgementOf(error)).toBe("answered");
    expect(connector.live).toHaveLength(1);
    expect(pool.stats().counters).toMatchObject({ requestErrors: 1, errors: { connection: 0, outcomeUnknown: 0 } });
  });

  it.each([
    ["rejects with", fail],
    ["throws", throwing],
  ])("may have run when the connection %s an error that is not judged", async (_how, step) => {
    const { pool, connector, clock } = scriptedPool();
    const cause = new Error("who knows");
    connector.onRequest.next(step(cause));
    const request = outcomeOf(pool.request("ping"));
    await clock.settle();
    expect(request.error).toBeInstanceOf(McpOutcomeUnknownError);
    expect(request.error).toMatchObject({ code: "OUTCOME_UNKNOWN", cause });
    expect(connector.connection(1).closes).toEqual(["request-failed"]);
  });

  it("takes the word of a failure that another copy of the package judged", async () => {
    const { pool, connector } = scriptedPool();
    const foreign = Object.assign(new Error("refused"), { name: "RequestFailure", judgement: "not-sent" });
    connector.onRequest.next(fail(foreign));
    await expect(pool.request("ping")).rejects.toBeInstanceOf(McpConnectionError);
  });

  it("is lost with its connection, and is not sent again", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(manual());
    const request = outcomeOf(pool.request("tools/call", { name: "pay" }));
    await clock.settle();
    connector.connection(1).die(new Error("crash"));
    await clock.settle();
    expect(request.error).toBeInstanceOf(McpOutcomeUnknownError);
    expect(connector.requests).toHaveLength(1);
  });
});

describe("the time of a request", () => {
  it("is up after requestTimeoutMs, waiting included", async () => {
    const { pool, connector, clock, recorder } = exclusivePool({ maxConnections: 1, requestTimeoutMs: 1_000 });
    connector.onRequest.always(untilAborted());
    const lease = await pool.acquire();
    const request = outcomeOf(pool.request("ping"));
    await clock.advance(600);
    lease.release();
    await clock.advance(399);
    expect([connector.requests.length, request.state]).toEqual([1, "pending"]);
    await clock.advance(1);
    expect(request.error).toBeInstanceOf(McpTimeoutError);
    expect(request.error).toMatchObject({ phase: "request", outcome: "unknown" });
    expect(String(request.error)).toContain("within 400 ms");
    expect(judgementOf(request.error)).toBe("timed-out");
    expect(recorder.of("request-finished")).toMatchObject([{ judgement: "timed-out", waitMs: 600, durationMs: 400 }]);
  });

  it("is what the caller says, rather", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.always(untilAborted());
    const request = outcomeOf(pool.request("ping", {}, { timeoutMs: 50 }));
    await clock.advance(50);
    expect(request.error).toMatchObject({ code: "TIMEOUT", phase: "request" });
  });

  it("is attemptTimeoutMs for one attempt, counted from sending", async () => {
    const { pool, connector, clock } = exclusivePool({
      maxConnections: 1,
      requestTimeoutMs: 10_000,
      attemptTimeoutMs: 500,
    });
    connector.onRequest.always(untilAborted());
    const lease = await pool.acquire();
    const request = outcomeOf(pool.request("ping"));
    await clock.advance(3_000);
    lease.release();
    await clock.advance(499);
    expect(request.state).toBe("pending");
    await clock.advance(1);
    expect(request.error).toMatchObject({ code: "TIMEOUT", phase: "request", outcome: "unknown" });
  });

  it("bounds requests on a lease as well", async () => {
    const { pool, connector, clock } = scriptedPool({ requestTimeoutMs: 1_000 });
    connector.onRequest.always(untilAborted());
    const lease = await pool.acquire();
    const request = outcomeOf(lease.request("ping"));
    await clock.advance(1_000);
    expect(request.error).toBeInstanceOf(McpTimeoutError);
    lease.release();
  });

  it("leaves no timer behind when the answer comes in time", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.always(manual());
    const requests = Array.from({ length: 5 }, () => pool.request("ping"));
    await clock.settle();
    for (const call of connector.pending) call.resolve();
    await Promise.all(requests);
    expect(clock.pending.filter(({ isRef }) => isRef)).toEqual([]);
  });
});

describe("an abandoned request", () => {
  /** A shared connection with room for one, and a request on it that its caller gives up. */
  async function abandoned(step = manual()) {
    const all = scriptedPool({ maxRequestsPerConnection: 1, maxConnections: 1, acquireTimeoutMs: 100_000 });
    all.connector.onRequest.next(step);
    const controller = new AbortController();
    const request = outcomeOf(all.pool.request("tools/call", { name: "a" }, { signal: controller.signal }));
    await all.clock.settle();
    controller.abort("enough");
    await all.clock.settle();
    return { ...all, request };
  }

  it("rejects at once with the signal's reason, and tells the connection", async () => {
    const { request, connector, recorder, pool } = await abandoned();
    expect(request.error).toBe("enough");
    expect(connector.requests[0]?.options.signal.reason).toBe("enough");
    expect(recorder.of("request-finished")).toMatchObject([{ judgement: "aborted", error: "enough" }]);
    expect(pool.stats().counters.requestErrors).toBe(0);
  });

  it("keeps its room until its late answer comes", async () => {
    const { pool, connector, clock } = await abandoned();
    const next = outcomeOf(pool.acquire());
    await clock.advance(29_000);
    expect([pool.stats().inFlight, next.state]).toEqual([1, "pending"]);
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([next.state, next.value?.connectionId]).toEqual(["resolved", 1]);
    next.value?.release();
  });

  it("keeps its room until the late answer that the connector promised", async () => {
    let arrive: () => void = () => {};
    const lateAnswer = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { pool, connector, clock } = await abandoned();
    connector.pending[0]?.reject(new RequestFailure("aborted", "aborted", { lateAnswer }));
    await clock.advance(999);
    expect(pool.stats().inFlight).toBe(1);
    arrive();
    await clock.settle();
    expect(pool.stats().inFlight).toBe(0);
  });

  it("gives its room back at once when the connection knows that nothing is left of it", async () => {
    const { pool } = await abandoned(untilAborted());
    expect(pool.stats().inFlight).toBe(0);
  });

  it("gives its room back after 30 s, and its connection is in doubt then", async () => {
    const { pool, connector, clock, recorder } = await abandoned(hang());
    connector.onProbe.next(manual());
    await clock.advance(29_999);
    expect(pool.stats()).toMatchObject({ inFlight: 1, connections: { busy: 1 } });
    await clock.advance(1);
    expect(recorder.of("connection-suspected")).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ inFlight: 0, connections: { checking: 1 } });
    connector.pending[0]?.resolve();
    await clock.settle();
    expect(pool.stats().connections.ready).toBe(1);
  });

  it("does not hold up a connection that is retired meanwhile", async () => {
    const { pool, connector, clock } = scriptedPool({ maxRequestsPerConnection: 2 });
    connector.onRequest.next(hang(), judged("not-sent"));
    const controller = new AbortController();
    const request = outcomeOf(pool.request("a", {}, { signal: controller.signal }));
    await clock.settle();
    await expect(pool.request("b")).rejects.toBeInstanceOf(McpConnectionError);
    controller.abort("enough");
    await clock.settle();
    expect(request.error).toBe("enough");
    expect(connector.connection(1).closes).toEqual(["request-failed"]);
  });
});
