import { McpConnectionPool, type McpConnectionPoolOptions, type PoolPlugin } from "@mcp-pool/core";
import { EventRecorder, FakeClock, ScriptedConnector } from "@mcp-pool/core/testing";
import { expect, onTestFinished } from "vitest";

/** A pool on a fake clock and a scripted connector. */
export interface PoolBench {
  readonly pool: McpConnectionPool;
  readonly connector: ScriptedConnector;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
}

/** Makes a pool with the given plugins; it is closed after the test, and nothing of it may be left. */
export function poolBench(plugins: readonly PoolPlugin[], options: McpConnectionPoolOptions = {}): PoolBench {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock, connectBackoff: { initialDelayMs: 1, maxDelayMs: 1 } });
  const pool = new McpConnectionPool(connector, { name: "files", minConnections: 0, ...options }, plugins, { clock });
  const recorder = new EventRecorder(pool);
  onTestFinished(async () => {
    const closing = outcomeOf(pool.close({ drainTimeoutMs: 0 }));
    await clock.advance(40_000);
    expect(closing.state, "close() resolves").toBe("resolved");
    expect(clock.pending, "no timer is left").toEqual([]);
  });
  return { pool, connector, clock, recorder };
}

/** How a promise ended. */
export interface Settled<T> {
  state: "pending" | "resolved" | "rejected";
  value?: T;
  error?: unknown;
}

/** Keeps how a promise ended, as soon as it has. */
export function outcomeOf<T>(promise: Promise<T>): Settled<T> {
  const outcome: Settled<T> = { state: "pending" };
  promise.then(
    (value) => Object.assign(outcome, { state: "resolved", value }),
    (error: unknown) => Object.assign(outcome, { state: "rejected", error }),
  );
  return outcome;
}

/** Runs a tool a number of times, one call after the other, and says how each ended. */
export async function callMany({ pool, clock }: PoolBench, count: number): Promise<Settled<unknown>[]> {
  const outcomes: Settled<unknown>[] = [];
  for (let index = 0; index < count; index++) {
    outcomes.push(outcomeOf(pool.request("tools/call", { name: "pay" })));
    await clock.settle();
    // A connection that was lost early is replaced after a pause.
    if (outcomes.at(-1)?.state === "pending") await clock.advance(1);
  }
  return outcomes;
}
