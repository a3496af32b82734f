import { expect, onTestFinished } from "vitest";
import {
  type Lease,
  McpConnectionPool,
  type McpConnectionPoolOptions,
  type PoolEnvironment,
  type PoolPlugin,
} from "../src/index.ts";
import {
  EventRecorder,
  FakeClock,
  ok,
  outcomeOf,
  ScriptedConnector,
  type ScriptedConnectorOptions,
} from "../src/testing/index.ts";

export { outcomeOf };

/** A pool on a fake clock and a scripted connector, with everything it told. */
export interface ScriptedPool {
  readonly pool: McpConnectionPool;
  readonly connector: ScriptedConnector;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
}

/** What a scripted pool is made of. */
export interface ScriptedPoolSetup extends McpConnectionPoolOptions {
  readonly plugins?: readonly PoolPlugin[];
  readonly connector?: ScriptedConnectorOptions;
  readonly environment?: (clock: FakeClock, connector: ScriptedConnector) => PoolEnvironment;
}

/** Pools that have more connections than their maximum on purpose. */
const unbounded = new WeakSet<McpConnectionPool>();

/** Makes a pool with no minimum of connections; whatever a test does with it, it is checked and closed afterwards. */
export function scriptedPool(setup: ScriptedPoolSetup = {}): ScriptedPool {
  const { plugins = [], connector: own, environment, ...options } = setup;
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock, ...own });
  const all = { name: "files", minConnections: 0, ...options };
  const pool = new McpConnectionPool(connector, all, plugins, { clock, ...environment?.(clock, connector) });
  const recorder = new EventRecorder(pool);
  const made = { pool, connector, clock, recorder };
  onTestFinished(() => checkAndClose(made, all.maxConnections ?? 10));
  return made;
}

/** A pool whose connections are lent to one at a time. */
export function exclusivePool(setup: ScriptedPoolSetup = {}): ScriptedPool {
  return scriptedPool({ sharing: "exclusive", ...setup });
}

/** Acquires leases one after the other. */
export async function acquireMany(pool: McpConnectionPool, count: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let index = 0; index < count; index++) leases.push(await pool.acquire());
  return leases;
}

/** Checks what must hold for every pool at every moment. */
export function expectBalance({ pool, connector }: Pick<ScriptedPool, "pool" | "connector">): void {
  const { connections, counters, inFlight, waiting, leases } = pool.stats();
  const { connecting, ready, busy, checking, draining, closing, total } = connections;
  expect(ready + busy + checking + draining + closing + connecting, "each connection is in one state").toBe(total);
  expect(counters.borrowed - counters.returned, "borrowed = returned + in flight").toBe(inFlight);
  expect(leases, "a lease takes room").toBeLessThanOrEqual(inFlight);
  const left = counters.granted + counters.timedOut + counters.aborted + counters.rejected;
  expect(counters.queued, "queued = granted + timed out + aborted + rejected + waiting").toBe(left + waiting);
  expect(counters.created, "created = open + destroyed").toBe(total - connecting + counters.destroyed);
  expect(connector.closedTwice, "every connection is closed once").toEqual([]);
}

/** Says that a test has more connections than the maximum on purpose, as after a change of connector. */
export function allowAboveMaximum(pool: McpConnectionPool): void {
  unbounded.add(pool);
}

async function checkAndClose(all: ScriptedPool, maxConnections: number): Promise<void> {
  const { pool, connector, clock } = all;
  expectBalance(all);
  const maximum = unbounded.has(pool) ? Infinity : maxConnections;
  expect(connector.peak, "never more connections than the maximum").toBeLessThanOrEqual(maximum);
  connector.onClose.always(ok());
  const closing = outcomeOf(pool.close({ drainTimeoutMs: 0 }));
  await clock.advance(0);
  for (const call of connector.pending) call.resolve();
  await clock.advance(40_000);
  expect(closing, "close() resolves").toEqual({ state: "resolved", value: undefined });
  expectBalance(all);
  expect(pool.stats().connections.total).toBe(0);
  expect(clock.pending, "no timer is left").toEqual([]);
  expect(connector.listenerCount, "no listener is left").toBe(0);
}

/** A plugin that lets everybody in, and does something each time it is asked. */
export function admitting(onAsked: () => void): PoolPlugin {
  return {
    name: "admitting",
    install: () => ({
      admit() {
        onAsked();
        return undefined;
      },
    }),
  };
}
