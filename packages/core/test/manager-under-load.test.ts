import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { McpConnectionManager } from "../src/index.ts";
import type { FakeClock } from "../src/testing/index.ts";
import { exclusive, scriptedManager } from "./scripted-manager.ts";

const POOLS = 20;
const CAP = 30;
const PRIORITIES = [0, 5, 10] as const;
/** Long enough that a caller who starves is found by still waiting. */
const PATIENCE_MS = 600_000;

/** How long callers of each priority waited, in milliseconds. */
type Waits = Readonly<Record<number, number[]>>;

interface Load {
  readonly max: number;
  readonly pools: number;
  readonly callersPerPool: number;
  readonly callsPerCaller: number;
  /** How long the n-th call of a caller keeps its lease, in milliseconds. */
  readonly holdMs: (caller: number, call: number) => number;
  /** How long it pauses before the next one. */
  readonly pauseMs: (caller: number, call: number) => number;
  readonly connectMs: number;
}

/** Puts pools of three priorities under load, and returns how long everybody waited. */
async function underLoad(load: Load): Promise<{ waits: Waits; peak: number; served: number }> {
  const names = Array.from({ length: load.pools }, (_, index) => `server-${index}`);
  const priorityOf = (index: number) => PRIORITIES[index % PRIORITIES.length] ?? 0;
  const { manager, connector, clock } = scriptedManager({
    max: load.max,
    pool: { acquireTimeoutMs: PATIENCE_MS, connectionTimeoutMs: PATIENCE_MS },
    servers: Object.fromEntries(
      names.map((name, index) => [
        name,
        { ...exclusive({ maxConnections: 6, validateOnAcquire: false }), priority: priorityOf(index) },
      ]),
    ),
  });
  connector.onConnect.always({ kind: "after", delayMs: load.connectMs, next: { kind: "ok", value: undefined } });
  const waits: Waits = Object.fromEntries(PRIORITIES.map((priority) => [priority, []]));
  const state = { served: 0, running: 0 };
  for (const [index, name] of names.entries()) {
    for (let caller = 0; caller < load.callersPerPool; caller++) {
      state.running++;
      void callMany(manager, clock, name, index * load.callersPerPool + caller, load, (waitMs) => {
        waits[priorityOf(index)]?.push(waitMs);
        state.served++;
      }).finally(() => state.running--);
    }
  }
  for (let second = 0; second < PATIENCE_MS / 1_000 && state.running > 0; second++) {
    await clock.advance(1_000);
    expect(manager.stats().totalConnections, "the cap is kept").toBeLessThanOrEqual(load.max);
    expect(connector.occupied, "by the connector's own count too").toBeLessThanOrEqual(load.max);
  }
  expect(state.running, "nobody waits for ever").toBe(0);
  return { waits, peak: connector.peak, served: state.served };
}

async function callMany(
  manager: McpConnectionManager,
  clock: FakeClock,
  server: string,
  caller: number,
  load: Load,
  onServed: (waitMs: number) => void,
): Promise<void> {
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  for (let call = 0; call < load.callsPerCaller; call++) {
    const askedAt = clock.now();
    const lease = await manager.acquire(server);
    onServed(clock.now() - askedAt);
    await sleep(load.holdMs(caller, call));
    lease.release();
    await sleep(load.pauseMs(caller, call));
  }
}

function meanOf(values: readonly number[] | undefined): number {
  return (values ?? []).reduce((sum, value) => sum + value, 0) / Math.max(values?.length ?? 0, 1);
}

describe("20 pools over a cap of 30 connections", () => {
  it("keep the cap, starve nobody, and wait by priority, when there is twice the work that the cap can carry", async () => {
    const load: Load = {
      max: CAP,
      pools: POOLS,
      callersPerPool: 5,
      callsPerCaller: 12,
      holdMs: (caller, call) => 150 + ((caller * 37 + call * 101) % 200),
      pauseMs: (caller, call) => (caller * 53 + call * 29) % 150,
      connectMs: 40,
    };
    const { waits, peak, served } = await underLoad(load);
    expect(served).toBe(POOLS * 5 * 12);
    expect(peak).toBe(CAP);
    const [low, middle, high] = PRIORITIES.map((priority) => meanOf(waits[priority])) as [number, number, number];
    expect(high, "the highest priority waits least").toBeLessThan(middle);
    expect(middle).toBeLessThan(low);
    // Ageing: a step of priority is worth a second, so the lowest is behind by 10 s at most, and by its turns.
    expect(Math.max(...PRIORITIES.flatMap((priority) => waits[priority] ?? []))).toBeLessThan(15_000);
  });

  it("serve a pool of the lowest priority in bounded time, though the others never rest", async () => {
    const load: Load = {
      max: CAP,
      pools: POOLS,
      callersPerPool: 6,
      callsPerCaller: 40,
      holdMs: () => 250,
      pauseMs: () => 0,
      connectMs: 20,
    };
    const { waits, served } = await underLoad(load);
    expect(served).toBe(POOLS * 6 * 40);
    expect(Math.max(...(waits[0] ?? []))).toBeLessThan(15_000);
  });
});

it("pools of any number and load keep their cap and starve nobody", { timeout: 120_000 }, async () => {
  const times = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 24 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 4 }),
      times,
      times,
      fc.constantFrom(0, 5, 300),
      async (pools, max, callersPerPool, holds, pauses, connectMs) => {
        const load: Load = {
          max,
          pools,
          callersPerPool,
          callsPerCaller: 4,
          holdMs: (caller, call) => holds[(caller + call) % holds.length] ?? 0,
          pauseMs: (caller, call) => pauses[(caller + 2 * call) % pauses.length] ?? 0,
          connectMs,
        };
        const { peak, served } = await underLoad(load);
        expect(served).toBe(pools * callersPerPool * 4);
        expect(peak).toBeLessThanOrEqual(max);
      },
    ),
    { numRuns: 40, seed: 7 },
  );
});
