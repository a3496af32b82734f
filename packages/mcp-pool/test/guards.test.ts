import { fail, judged, manual, ok, untilAborted } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import {
  circuitBreaker,
  health,
  type McpServerDefinition,
  type PoolPlugin,
  requestTimeout,
  retry,
} from "../src/index.ts";
import { codeOf, type FullStack, fullStack, type Settled, settled } from "./full-stack.ts";

const PAY = { name: "pay" };
const STALE = { content: [{ type: "text" as const, text: "from yesterday" }] };

const CIRCUIT = () => circuitBreaker({ failureThreshold: 5, recoveryTimeoutMs: 10_000, successThreshold: 2 });
const HEALTH = () => health({ intervalMs: 5_000, timeoutMs: 1_000, failureThreshold: 3, successThreshold: 2 });

/** A stack of one server; what guards it is all that two stacks of one test differ in. */
function stackOf(plugins: readonly PoolPlugin[], server: Partial<McpServerDefinition> = {}): FullStack {
  return fullStack(["files"], { plugins, server });
}

async function callMany({ manager, clock }: FullStack, count: number): Promise<Settled[]> {
  const outcomes: Settled[] = [];
  for (let call = 0; call < count; call++) {
    outcomes.push(settled(manager.callTool("files", PAY)));
    await clock.advance(500);
  }
  return outcomes;
}

/** Each scenario is played with the guard and without it, so that it cannot pass by itself. */
describe("what each guard is for:", () => {
  it("the circuit breaker keeps calls from a server that is down", async () => {
    const play = async (plugins: readonly PoolPlugin[]) => {
      const stack = stackOf(plugins);
      stack.connector("files").onRequest.always(judged("timed-out"));
      const outcomes = await callMany(stack, 15);
      return { last: codeOf(outcomes.at(-1) as Settled), sent: stack.connector("files").requests.length };
    };
    expect(await play([CIRCUIT()])).toEqual({ last: "CIRCUIT_OPEN", sent: 5 });
    expect(await play([])).toEqual({ last: "TIMEOUT", sent: 15 });
  });

  it("the fallback answers for a server whose circuit is open, and only the circuit breaker calls for it", async () => {
    const play = async (plugins: readonly PoolPlugin[], onCircuitOpen: McpServerDefinition["onCircuitOpen"]) => {
      const stack = stackOf(plugins, { onCircuitOpen });
      stack.connector("files").onRequest.always(judged("timed-out"));
      const outcomes = await callMany(stack, 15);
      return outcomes.filter(({ value }) => value === STALE).length;
    };
    const standIn = { callTool: () => STALE };
    expect(await play([CIRCUIT()], standIn)).toBe(10);
    expect(await play([CIRCUIT()], undefined)).toBe(0);
    expect(await play([], standIn)).toBe(0);
  });

  it("health checks open the circuit of a dead server after three, and close it after two, without a call", async () => {
    const play = async (plugins: readonly PoolPlugin[]) => {
      const stack = stackOf(plugins);
      const { manager, clock, connector, recorder } = stack;
      await manager.callTool("files", PAY);
      connector("files").onProbe.always(untilAborted());
      connector("files").onConnect.always(fail(new Error("refused")));
      await clock.advance(20_000);
      connector("files").onProbe.always(ok());
      connector("files").onConnect.always(ok());
      await clock.advance(20_000);
      const failures = recorder.of("health-check-failed").map(({ failuresInRow }) => failuresInRow);
      const changes = recorder.of("circuit-state-changed").map(({ from, to }) => `${from} ${to}`);
      return { failures, changes, calls: connector("files").requests.length };
    };
    const changes = ["closed open", "open half-open", "half-open closed"];
    expect(await play([CIRCUIT(), HEALTH()])).toMatchObject({ changes, calls: 1 });
    expect((await play([CIRCUIT(), HEALTH()])).failures.slice(0, 3)).toEqual([1, 2, 3]);
    expect(await play([CIRCUIT()])).toEqual({ failures: [], changes: [], calls: 1 });
    expect((await play([HEALTH()])).changes).toEqual([]);
  });

  it("retries make up for a lost connection", async () => {
    const play = async (plugins: readonly PoolPlugin[]) => {
      const stack = stackOf(plugins);
      stack.connector("files").onRequest.next(judged("not-sent"));
      const [outcome] = await callMany(stack, 1);
      return { state: outcome?.state, sent: stack.connector("files").requests.length };
    };
    expect(await play([retry()])).toEqual({ state: "resolved", sent: 2 });
    expect(await play([])).toEqual({ state: "rejected", sent: 1 });
  });

  it("the budget of retries bounds them on a server that refuses everything", async () => {
    const play = async (plugins: readonly PoolPlugin[]) => {
      const stack = stackOf(plugins);
      stack.connector("files").onRequest.always(judged("overloaded", "later", { retryAfterMs: 1 }));
      await callMany(stack, 100);
      return stack.connector("files").requests.length;
    };
    // Each retry takes 5 tokens of 500, and nothing succeeds to give any back.
    expect(await play([retry()])).toBe(100 + 500 / 5);
    expect(await play([retry({ budgetTokens: 1_000_000 })])).toBe(3 * 100);
    expect(await play([])).toBe(100);
  });

  it("the deadline ends a call that nobody answers", async () => {
    const play = async (plugins: readonly PoolPlugin[]) => {
      const { manager, clock, connector } = stackOf(plugins);
      connector("files").onRequest.always(untilAborted());
      const call = settled(manager.callTool("files", PAY, { timeoutMs: 60_000 }));
      await clock.advance(2_000);
      return call.state === "pending" ? call.state : codeOf(call);
    };
    expect(await play([requestTimeout({ totalMs: 2_000 })])).toBe("TIMEOUT");
    expect(await play([])).toBe("pending");
  });

  it.each<[string, Partial<McpServerDefinition>]>([
    ["of a server", { maxConcurrentRequests: 3 }],
    ["of a tool", { tools: { pay: { maxConcurrent: 3 } } }],
  ])("the limit %s keeps the calls beyond it in line", async (_of, limits) => {
    const play = async (server: Partial<McpServerDefinition>) => {
      const { manager, clock, connector } = stackOf([], server);
      connector("files").onRequest.always(manual());
      const calls = Array.from({ length: 8 }, () => settled(manager.callTool("files", PAY)));
      await clock.settle();
      const atOnce = connector("files").requests.length;
      for (let round = 0; round < 8; round++) {
        for (const each of connector("files").pending) each.resolve({ content: [] });
        await clock.settle();
      }
      return { atOnce, answered: calls.filter(({ state }) => state === "resolved").length };
    };
    expect(await play(limits)).toEqual({ atOnce: 3, answered: 8 });
    expect(await play({})).toEqual({ atOnce: 8, answered: 8 });
  });

  it("the pauses between connects, and then the bound of 30 in a minute, hold back a server that crashes", async () => {
    const play = async (
      connectBackoff: { readonly initialDelayMs: number; readonly maxDelayMs: number } | undefined,
    ) => {
      const { manager, clock, connector } = fullStack(["files"], { plugins: [], connector: { connectBackoff } });
      manager.subscribe(({ type }) => {
        if (type === "connection-opened") queueMicrotask(() => connector("files").connections.at(-1)?.die());
      });
      connector("files").onRequest.always(untilAborted());
      for (let second = 0; second < 59; second++) {
        for (let call = 0; call < 5; call++) void settled(manager.callTool("files", PAY, { timeoutMs: 1_000 }));
        await clock.advance(1_000);
      }
      return connector("files").connects.length;
    };
    expect(await play(undefined)).toBeLessThan(20);
    expect(await play({ initialDelayMs: 0, maxDelayMs: 0 })).toBe(30);
  });
});
