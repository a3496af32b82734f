import { getEventListeners } from "node:events";
import { expect } from "vitest";
import { McpConnectionPool, McpPoolError } from "../src/index.ts";
import { after, FakeClock, fail, hang, ok, ScriptedConnector, type Step, throwing } from "../src/testing/index.ts";
import { expectBalance, outcomeOf } from "./scripted-pool.ts";

/** How a hook behaves the first time; from then on it does well. */
export const OUTCOMES = ["ok", "error", "throw", "slow", "never"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** When a caller gives up, in milliseconds after it came; slow hooks take 20. */
export const ABORT_POINTS = {
  "never aborts": undefined,
  "has aborted before": -1,
  "aborts in the same tick": 0,
  "aborts while a slow hook runs": 10,
  "aborts in the millisecond in which a slow hook ends": 20,
  "aborts while the hook after a slow one runs": 30,
} as const;

/** One combination: how each hook does at its first call, when callers abort, and how connections are shared. */
export interface FaultCase {
  readonly connect: Outcome;
  readonly probe: Outcome;
  readonly request: Outcome;
  readonly close: Outcome;
  readonly abortAfterMs: number | undefined;
  readonly sharing: "shared" | "exclusive";
}

/** How often each hook was called. */
export type Calls = Readonly<Record<"connect" | "probe" | "request" | "close", number>>;

const SLOW_MS = 20;
const MAX = 2;
const CONNECT_MS = 1_000;
const ACQUIRE_MS = 1_500;
const REQUEST_MS = 3_000;
/** No caller may be left without an answer for longer than all its budgets together. */
const PATIENCE_MS = CONNECT_MS + ACQUIRE_MS + REQUEST_MS;
/** A connection is probed before it is lent once it was quiet for 500 ms. */
const QUIET_MS = 600;
const DRAIN_MS = 100;
const GRACE_MS = 10_000;

/** Runs one combination: callers at once, callers after a quiet time, callers until one succeeds, and the end of the pool. Returns how often each hook was called. */
export async function runFaultCase(each: FaultCase): Promise<Calls> {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock, concurrency: 2 });
  connector.onConnect.next(toStep(each.connect));
  connector.onProbe.next(toStep(each.probe));
  connector.onRequest.next(toStep(each.request));
  connector.onClose.next(toStep(each.close));
  const pool = new McpConnectionPool(
    connector,
    {
      sharing: each.sharing,
      minConnections: 0,
      maxConnections: MAX,
      connectionTimeoutMs: CONNECT_MS,
      acquireTimeoutMs: ACQUIRE_MS,
      requestTimeoutMs: REQUEST_MS,
    },
    [],
    { clock },
  );
  const signals: AbortSignal[] = [];
  const call = (abortAfterMs: number | undefined) => {
    const controller = new AbortController();
    const { signal } = controller;
    signals.push(signal);
    const abort = () => controller.abort(new Error("the caller gave up"));
    if (abortAfterMs === -1) abort();
    const work =
      each.sharing === "shared"
        ? pool.request("tools/call", { name: "x" }, { signal })
        : pool.use((client) => client.callTool({ name: "x" }, { signal }), { signal });
    if (abortAfterMs === 0) abort();
    else if (abortAfterMs !== undefined && abortAfterMs > 0) clock.setTimer(abort, abortAfterMs);
    return outcomeOf(work);
  };
  const check = () => {
    expectBalance({ pool, connector });
    expect(pool.stats().connections.total, "the maximum is kept").toBeLessThanOrEqual(MAX);
  };

  for (let wave = 0; wave < 2; wave++) {
    const callers = [call(each.abortAfterMs), call(undefined)];
    for (let step = 0; step < 3; step++) {
      await clock.advance(SLOW_MS / 2);
      check();
    }
    await clock.advance(PATIENCE_MS);
    for (const { state, error } of callers) {
      expect(state, "every caller is answered in its time").not.toBe("pending");
      if (state === "rejected") expect(isExpected(error), `a caller got ${String(error)}`).toBe(true);
    }
    check();
    await clock.advance(QUIET_MS);
  }

  // Each hook fails once at the most, so one of the next callers must succeed; and again after a quiet time.
  for (let wave = 0; wave < 2; wave++) {
    let isServed = false;
    for (let attempt = 0; attempt < 4 && !isServed; attempt++) {
      const caller = call(undefined);
      await clock.advance(PATIENCE_MS);
      isServed = caller.state === "resolved";
    }
    expect(isServed, "the pool serves again when the faults are over").toBe(true);
  }
  await clock.advance(30_000);
  check();
  expect(pool.stats(), "no lease, no room and no waiter is lost").toMatchObject({ leases: 0, waiting: 0, inFlight: 0 });

  const closing = outcomeOf(pool.close({ drainTimeoutMs: DRAIN_MS }));
  await clock.advance(DRAIN_MS + GRACE_MS);
  expect(closing.state, "close() settles in its time").toBe("resolved");
  check();
  expect(clock.pending, "no timer is left").toEqual([]);
  expect(connector.listenerCount, "no listener is left on a connection").toBe(0);
  expect(
    signals.flatMap((signal) => getEventListeners(signal, "abort")),
    "nor on a caller's signal",
  ).toEqual([]);
  for (const { closes } of connector.connections) expect(closes, "every connection is closed once").toHaveLength(1);
  const isHung = each.connect === "never" || each.close === "never";
  expect(connector.occupied, "no connection is left").toBeLessThanOrEqual(isHung ? 2 : 0);
  if (!isHung) expect(connector.peak, "the maximum was kept, closing ones included").toBeLessThanOrEqual(MAX);
  return {
    connect: connector.connects.length,
    probe: connector.connections.reduce((sum, { probes }) => sum + probes, 0),
    request: connector.requests.length,
    close: connector.connections.length,
  };
}

function isExpected(error: unknown): boolean {
  return McpPoolError.isInstance(error) || (error instanceof Error && error.message === "the caller gave up");
}

function toStep(outcome: Outcome): Step {
  switch (outcome) {
    case "ok":
      return ok();
    case "error":
      return fail(new Error("it fails"));
    case "throw":
      return throwing(new Error("it throws"));
    case "slow":
      return after(SLOW_MS);
    case "never":
      return hang();
  }
}
