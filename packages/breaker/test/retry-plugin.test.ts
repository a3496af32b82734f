import { McpConfigurationError } from "@mcp-pool/core";
import { fail, judged, ok, outcomeOf, pluginContract, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { retry } from "../src/index.ts";
import { poolBench } from "./pool-bench.ts";

const PAY = ["tools/call", { name: "pay" }] as const;

describe("retries", () => {
  it.each(["outcome-unknown", "timed-out"] as const)(
    "never repeat a tool that may have run (%s), unless it is declared safe",
    async (judgement) => {
      const { pool, connector, clock } = poolBench([retry()]);
      connector.onRequest.next(judged(judgement));
      await expect(pool.request(...PAY)).rejects.toMatchObject({
        code: judgement === "timed-out" ? "TIMEOUT" : "OUTCOME_UNKNOWN",
      });
      expect(connector.requests).toHaveLength(1);
      connector.onRequest.next(judged(judgement));
      const declared = outcomeOf(pool.request(...PAY, { idempotent: true }));
      await clock.advance(30_000);
      expect([declared.state, connector.requests.length]).toEqual(["resolved", 3]);
    },
  );

  it("repeat what did not run, at once, on another connection", async () => {
    const { pool, connector, clock, recorder } = poolBench([retry()]);
    await pool.request("ping");
    connector.onRequest.next(judged("not-sent"));
    const call = outcomeOf(pool.request(...PAY));
    await clock.advance(0);
    expect(call.state).toBe("resolved");
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
    expect(recorder.of("request-retried")).toMatchObject([
      { connectionId: 1, method: "tools/call", target: "pay", attempt: 2, judgement: "not-sent", delayMs: 0 },
    ]);
  });

  it("repeat what needed a connection that could not be opened", async () => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onConnect.next(fail(new Error("refused")));
    const call = outcomeOf(pool.request(...PAY));
    await clock.advance(1_000);
    expect([call.state, connector.connects.length]).toEqual(["resolved", 2]);
  });

  it("give up at once where starting the server fails for good", async () => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onConnect.always(fail(Object.assign(new Error("spawn nope ENOENT"), { code: "ENOENT" })));
    const call = outcomeOf(pool.request(...PAY));
    await clock.advance(0);
    expect([call.state, connector.connects.length]).toEqual(["rejected", 1]);
  });

  it("are of the requests that read without being asked, and of tools by their settings before their annotations", async () => {
    const { pool, connector, clock } = poolBench([retry()], {
      trustAnnotations: true,
      tools: { pay: { idempotent: false }, order: { idempotent: true } },
    });
    const annotated = (name: string, annotations: object) => ({ name, inputSchema: { type: "object" }, annotations });
    connector.onRequest.always((call) => {
      if (call.method !== "tools/list") return judged("outcome-unknown");
      const tools = [
        annotated("pay", { idempotentHint: true }),
        annotated("look", { readOnlyHint: true }),
        annotated("set", {}),
      ];
      return ok({ tools });
    });
    const tries = async (method: string, params: object, idempotent?: boolean) => {
      const before = connector.requests.filter((each) => each.method === method).length;
      const call = outcomeOf(pool.request(method, { ...params }, { idempotent }));
      await clock.advance(60_000);
      expect(call.state).toBe("rejected");
      return connector.requests.filter((each) => each.method === method).length - before;
    };
    expect(await tries("resources/read", { uri: "a:b" })).toBe(3);
    expect(await tries("tools/call", { name: "look" })).toBe(3);
    expect(await tries("tools/call", { name: "order" })).toBe(3);
    expect(await tries("tools/call", { name: "pay" })).toBe(1);
    expect(await tries("tools/call", { name: "set" })).toBe(1);
    expect(await tries("tools/call", { name: "constructor" })).toBe(1);
    expect(await tries("tools/call", { name: "pay" }, true)).toBe(3);
    expect(await tries("tools/call", { name: "look" }, false)).toBe(1);
  });

  it("do not take annotations for true unless told", async () => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onRequest.always(judged("outcome-unknown"));
    const call = outcomeOf(pool.request("tools/call", { name: "look" }));
    await clock.advance(60_000);
    expect([call.state, connector.requests.length]).toEqual(["rejected", 1]);
  });

  it.each(["answered", "unauthorised"] as const)("are never of what is judged as %s", async (judgement) => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onRequest.always(judged(judgement));
    const call = outcomeOf(pool.request("tools/list"));
    await clock.advance(60_000);
    expect([call.state, connector.requests.length]).toEqual(["rejected", 1]);
  });

  it("try three times in all, on two open connections and then on a new one", async () => {
    const { pool, connector, clock } = poolBench([retry()], { minConnections: 0, maxConnections: 5 });
    const leases = [];
    for (let index = 0; index < 3; index++) leases.push(await pool.acquire());
    connector.onRequest.always(judged("outcome-unknown"));
    const busy = Array.from({ length: 3 }, (_, index) => connector.connections[index]?.id);
    for (const lease of leases) lease.release();
    const call = outcomeOf(pool.request("tools/list"));
    await clock.advance(60_000);
    expect(call.state).toBe("rejected");
    const used = connector.requests.map(({ connection }) => connection);
    expect(used).toHaveLength(3);
    expect(new Set(used).size).toBe(3);
    expect(busy).not.toContain(used[2]);
  });

  it("take another connection when the one that timed out still has room", async () => {
    const { pool, connector, clock } = poolBench([retry({ initialDelayMs: 1 })], { attemptTimeoutMs: 100 });
    await pool.request("ping");
    connector.onRequest.next(untilAborted());
    connector.onProbe.always(untilAborted());
    const call = outcomeOf(pool.request("tools/list"));
    await clock.advance(200);
    expect(call.state).toBe("resolved");
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  it("pause with full jitter, between 0 and a bound that doubles", async () => {
    const { pool, connector, clock, recorder } = poolBench([
      retry({ maxAttempts: 6, initialDelayMs: 1_000, maxDelayMs: 3_000 }),
    ]);
    clock.setRandom(1);
    connector.onRequest.always(judged("overloaded"));
    const call = outcomeOf(pool.request(...PAY));
    await clock.advance(50_000);
    expect(call.state).toBe("rejected");
    expect(recorder.of("request-retried").map(({ delayMs }) => delayMs)).toEqual([1_000, 2_000, 3_000, 3_000, 3_000]);
  });

  it("wait as long as the server asks, if the deadline allows, and say when to come back if not", async () => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onRequest.next(judged("overloaded", "later", { retryAfterMs: 5_000 }));
    const patient = outcomeOf(pool.request(...PAY, { timeoutMs: 6_000 }));
    await clock.advance(4_999);
    expect(connector.requests).toHaveLength(1);
    await clock.advance(1);
    expect(patient.state).toBe("resolved");
    connector.onRequest.next(judged("overloaded", "later", { retryAfterMs: 5_000 }));
    const hasty = outcomeOf(pool.request(...PAY, { timeoutMs: 4_000 }));
    await clock.settle();
    expect(hasty.error).toMatchObject({ code: "CONNECTION_FAILED", retryAfterMs: 5_000 });
  });

  it("hold neither room nor permit while they pause", async () => {
    const { pool, connector, clock } = poolBench([retry()], { sharing: "exclusive", maxConnections: 1 });
    connector.onRequest.next(judged("overloaded", "later", { retryAfterMs: 5_000 }));
    const paused = outcomeOf(pool.request(...PAY));
    await clock.settle();
    expect(pool.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
    await pool.request("ping");
    await clock.advance(5_000);
    expect(paused.state).toBe("resolved");
  });

  it("share one deadline", async () => {
    const { pool, connector, clock } = poolBench([retry({ maxAttempts: 10, initialDelayMs: 1 })], {
      requestTimeoutMs: 1_000,
      attemptTimeoutMs: 300,
    });
    connector.onRequest.always(untilAborted());
    connector.onProbe.always(untilAborted());
    const call = outcomeOf(pool.request("tools/list"));
    await clock.advance(999);
    expect(call.state).toBe("pending");
    await clock.advance(1);
    expect(call.error).toMatchObject({ code: "TIMEOUT" });
  });

  it("repeat once what a server refused since it forgot the session, and never on an exclusive connection", async () => {
    const shared = poolBench([retry()]);
    shared.connector.onRequest.always(judged("session-lost"));
    const call = outcomeOf(shared.pool.request(...PAY));
    await shared.clock.advance(60_000);
    expect([call.state, shared.connector.requests.length]).toEqual(["rejected", 2]);
    const exclusive = poolBench([retry()], { sharing: "exclusive" });
    exclusive.connector.onRequest.next(judged("session-lost"));
    await expect(exclusive.pool.request(...PAY)).rejects.toMatchObject({ code: "SESSION_LOST" });
    const careful = poolBench([retry({ repeatAfterSessionLoss: false })]);
    careful.connector.onRequest.next(judged("session-lost"));
    await expect(careful.pool.request(...PAY)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  });

  it("leave requests on a lease alone, whose state is on that very connection", async () => {
    const { pool, connector } = poolBench([retry()]);
    const lease = await pool.acquire();
    connector.onRequest.next(judged("outcome-unknown"));
    await expect(lease.request("tools/list")).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(connector.requests).toHaveLength(1);
    lease.release();
  });

  it("say that a request may have run, even if a later try did not", async () => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onRequest.next(judged("outcome-unknown"), judged("not-sent"), judged("not-sent"));
    const call = outcomeOf(pool.request("tools/list"));
    await clock.advance(60_000);
    expect(connector.requests).toHaveLength(3);
    expect(call.error).toMatchObject({ code: "OUTCOME_UNKNOWN" });
  });

  it("end when the budget of the server is used up, and go on when successes have filled it", async () => {
    const { pool, connector, clock } = poolBench([retry({ budgetTokens: 10 })]);
    const failOnce = async () => {
      connector.onRequest.next(judged("not-sent"));
      const call = outcomeOf(pool.request(...PAY));
      await clock.advance(1_000);
      return call.state;
    };
    connector.onRequest.always(ok());
    expect([await failOnce(), await failOnce(), await failOnce()]).toEqual(["resolved", "resolved", "rejected"]);
    for (let call = 0; call < 5; call++) await pool.request("ping");
    expect(await failOnce()).toBe("resolved");
  });

  it("take twice as much of the budget after a time-out, since the server may still be at work", async () => {
    const triesFor = async (judgement: "outcome-unknown" | "timed-out") => {
      const { pool, connector, clock } = poolBench([retry({ budgetTokens: 15, maxAttempts: 10 })]);
      connector.onRequest.always(judged(judgement));
      void outcomeOf(pool.request("tools/list"));
      await clock.advance(600_000);
      return connector.requests.length;
    };
    expect(await triesFor("outcome-unknown")).toBe(1 + 15 / 5);
    expect(await triesFor("timed-out")).toBe(1 + 1);
  });

  it("are not there without the plugin", async () => {
    const { pool, connector } = poolBench([]);
    connector.onRequest.next(judged("not-sent"));
    await expect(pool.request(...PAY)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  });

  it("end with the pool", async () => {
    const { pool, connector, clock } = poolBench([retry()]);
    connector.onRequest.always(judged("overloaded", "later", { retryAfterMs: 20_000 }));
    const call = outcomeOf(pool.request(...PAY));
    await clock.settle();
    await pool.close();
    await clock.settle();
    expect(call.error).toMatchObject({ code: "CONNECTION_FAILED", retryAfterMs: 20_000 });
  });

  it("have options that are checked", () => {
    expect(() => retry({ maxAttempts: 0, initialDelayMs: -1 })).toThrow(McpConfigurationError);
    expect(() => retry({ maxAttempts: 0, initialDelayMs: -1 })).toThrow("retry.initialDelayMs");
  });

  it.each(pluginContract(() => retry()))("$name", ({ run }) => run());
});
