import fc from "fast-check";
import { expect } from "vitest";
import {
  type AcquireOptions,
  type Lease,
  McpConnectionManager,
  type McpConnectionManagerOptions,
  type McpServerDefinition,
} from "../src/index.ts";
import { after, FakeClock, fail, manual, ok, ScriptedConnector, type Step } from "../src/testing/index.ts";
import { expectBalance, outcomeOf } from "./scripted-pool.ts";

/** Five pools of four servers; each entry is what a caller asks for. */
const POOLS: readonly (readonly [server: string, options: AcquireOptions])[] = [
  ["minimum", {}],
  ["single", {}],
  ["limited", {}],
  ["limited", { identity: "someone" }],
  ["shared", { sharing: "exclusive" }],
];
const LIMIT = 2;
/** A stranded caller is found by still waiting, so no caller's own time may run out before. */
const FOREVER_MS = 36_000_000;

/** One step of a random schedule. */
interface Command {
  readonly op: keyof typeof WEIGHTS;
  readonly index: number;
}

/** A random schedule, with a finite list of what connects and closes do before they do well. */
export interface Schedule {
  readonly cap: number;
  readonly connects: readonly string[];
  readonly closes: readonly string[];
  readonly commands: readonly Command[];
}

const WEIGHTS = {
  acquire: 8,
  request: 4,
  release: 6,
  discard: 2,
  abort: 2,
  complete: 3,
  crash: 1,
  turns: 3,
  advance: 3,
  "warm-up": 1,
  remove: 1,
  cap: 1,
};

const ops = fc.oneof(
  ...Object.entries(WEIGHTS).map(([op, weight]) => ({ weight, arbitrary: fc.constant(op as Command["op"]) })),
);
const steps = fc.array(fc.constantFrom("ok", "slow", "manual", "refused"), { maxLength: 12 });

export const schedule: fc.Arbitrary<Schedule> = fc.record({
  cap: fc.integer({ min: 1, max: 4 }),
  connects: steps,
  closes: steps,
  commands: fc.array(fc.record({ op: ops, index: fc.nat(60) }), { minLength: 10, maxLength: 60, size: "max" }),
});

interface Caller {
  readonly controller: AbortController;
  readonly isRequest: boolean;
  isSettled: boolean;
  error: unknown;
}

/** Runs one schedule against a manager, and checks after each step what must always hold. */
export class CapacityRun {
  readonly #schedule: Schedule;
  readonly #clock = new FakeClock();
  readonly #connector: ScriptedConnector;
  readonly #manager: McpConnectionManager;
  readonly #callers: Caller[] = [];
  readonly #leases: { readonly server: string; readonly lease: Lease }[] = [];
  readonly #removals: Promise<void>[] = [];
  #cap: number;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#cap = schedule.cap;
    const clock = this.#clock;
    this.#connector = new ScriptedConnector({ clock, concurrency: 2 });
    this.#connector.onConnect.next(...schedule.connects.map(toStep));
    this.#connector.onClose.next(...schedule.closes.map(toStep));
    this.#manager = new McpConnectionManager(this.#options());
  }

  async run(): Promise<void> {
    for (const each of this.#schedule.commands) {
      await this.#do(each);
      this.#check();
    }
    await this.#quiesce();
    const stranded = this.#callers.filter(({ isSettled }) => !isSettled);
    expect(stranded, "every caller is served, or told why not").toHaveLength(0);
    await this.#close();
  }

  async #do({ op, index }: Command): Promise<void> {
    const [server, options] = POOLS[index % POOLS.length] ?? ["single", {}];
    switch (op) {
      case "acquire":
        this.#call(server, false, (signal) => this.#manager.acquire(server, { ...options, signal }));
        return;
      case "request":
        this.#call(server, true, (signal) =>
          this.#manager.callTool(server, { name: "x" }, { identity: options.identity, signal, timeoutMs: FOREVER_MS }),
        );
        return;
      case "release":
        this.#leases.splice(index % Math.max(this.#leases.length, 1), 1)[0]?.lease.release();
        return;
      case "discard":
        this.#leases.splice(index % Math.max(this.#leases.length, 1), 1)[0]?.lease.discard();
        return;
      case "abort":
        this.#callers[index % Math.max(this.#callers.length, 1)]?.controller.abort(new Error("enough"));
        return;
      case "complete": {
        const { pending } = this.#connector;
        pending[index % Math.max(pending.length, 1)]?.resolve();
        return;
      }
      case "crash": {
        const { live } = this.#connector;
        live[index % Math.max(live.length, 1)]?.die(new Error("crashed"));
        return;
      }
      case "turns":
        for (let turn = 0; turn < index % 13; turn++) await Promise.resolve();
        return;
      case "advance":
        await this.#advance(index * 25);
        return;
      case "warm-up":
        this.#manager.warmUp("minimum").catch(() => {});
        return;
      case "remove":
        if (!this.#manager.servers().includes(server)) return;
        this.#removals.push(this.#manager.removeServer(server, { drainTimeoutMs: index * 20 }));
        this.#manager.addServer(server, this.#definition(server));
        return;
      case "cap":
        this.#cap = capOf(index);
        await Promise.race([this.#manager.reload(this.#options()), Promise.resolve()]);
    }
  }

  #call(server: string, isRequest: boolean, start: (signal: AbortSignal) => Promise<unknown>): void {
    const caller: Caller = { controller: new AbortController(), isRequest, isSettled: false, error: undefined };
    this.#callers.push(caller);
    start(caller.controller.signal).then(
      (value) => {
        caller.isSettled = true;
        if (!isRequest) this.#leases.push({ server, lease: value as Lease });
      },
      (error: unknown) => {
        caller.isSettled = true;
        caller.error = error;
      },
    );
  }

  /** A call that waits for the test may not wait for so long that a pool would give its place up. */
  async #advance(ms: number): Promise<void> {
    const { pending } = this.#connector;
    await this.#clock.advance(ms);
    for (const call of pending) call.resolve();
    await this.#clock.settle();
    expect(this.#manager.stats().totalConnections, "the cap counts what there is").toBe(this.#connector.occupied);
  }

  /** Nothing goes wrong any more, and everybody gives back at once what they get. */
  async #quiesce(): Promise<void> {
    for (let turn = 0; turn < 200; turn++) {
      for (const { lease } of this.#leases.splice(0)) lease.release();
      await this.#advance(turn < 20 ? 0 : 1_000);
      if (turn > 5 && this.#callers.every(({ isSettled }) => isSettled)) return;
    }
  }

  async #close(): Promise<void> {
    const closing = outcomeOf(Promise.all([this.#manager.close({ drainTimeoutMs: 1_000 }), ...this.#removals]));
    for (let turn = 0; turn < 12; turn++) await this.#advance(1_000);
    expect(closing.state, "close() resolves").toBe("resolved");
    expect(this.#manager.stats().totalConnections, "no unit is lost").toBe(0);
    expect(this.#connector.occupied, "no connection is left").toBe(0);
    expect(this.#connector.listenerCount, "no listener is left").toBe(0);
    expect(this.#clock.pending, "no timer is left").toEqual([]);
    for (const server of this.#manager.servers()) {
      for (const pool of this.#manager.poolsOf(server)) expectBalance({ pool, connector: this.#connector });
    }
  }

  #check(): void {
    const { totalConnections, maxTotalConnections, servers } = this.#manager.stats();
    expect(maxTotalConnections).toBe(this.#cap);
    const caps = this.#schedule.commands.filter(({ op }) => op === "cap").map(({ index }) => capOf(index));
    const highest = Math.max(this.#schedule.cap, ...caps);
    expect(this.#connector.peak, "never more connections than the cap").toBeLessThanOrEqual(highest);
    expect(totalConnections).toBeGreaterThanOrEqual(0);
    expect(totalConnections, "what is there is counted").toBeGreaterThanOrEqual(this.#connector.live.length);
    const inFlight = servers.limited?.pools.reduce((sum, pool) => sum + pool.inFlight, 0) ?? 0;
    expect(inFlight, "never more in flight than the server's limit").toBeLessThanOrEqual(LIMIT);
    for (const { pools } of Object.values(servers)) {
      for (const { connections } of pools) expect(connections.total).toBeLessThanOrEqual(connections.max);
    }
    const lent = this.#leases.filter(({ server }) => server !== "limited").map(({ lease }) => lease.connection);
    expect(new Set(lent).size, "an exclusive connection has one holder").toBe(lent.length);
    expect(this.#connector.closedTwice, "every connection is closed once").toEqual([]);
  }

  #options(): McpConnectionManagerOptions {
    const names = [...new Set(POOLS.map(([server]) => server))];
    return {
      clock: this.#clock,
      settings: { maxTotalConnections: this.#cap },
      servers: Object.fromEntries(names.map((name) => [name, this.#definition(name)])),
    };
  }

  #definition(name: string): McpServerDefinition {
    const pool = { minConnections: 0, maxConnections: 3, acquireTimeoutMs: FOREVER_MS, connectionTimeoutMs: 6_000 };
    const connector = this.#connector;
    switch (name) {
      case "minimum":
        return { connector, pool: { ...pool, sharing: "exclusive", minConnections: 2 } };
      case "single":
        return { connector, priority: 3, pool: { ...pool, sharing: "exclusive", maxConnections: 1 } };
      case "limited":
        return { connector, maxConcurrentRequests: LIMIT, pool };
      default:
        return { connector, priority: 1, pool };
    }
  }
}

function capOf(index: number): number {
  return 1 + (index % 4);
}

function toStep(name: string): Step {
  switch (name) {
    case "slow":
      return after(700);
    case "manual":
      return manual();
    case "refused":
      return fail(new Error("refused"));
    default:
      return ok();
  }
}
