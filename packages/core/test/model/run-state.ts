import { type Lease, McpConnectionPool, type PoolControl, type PoolOptions, type PoolPlugin } from "../../src/index.ts";
import { LateMap, LateSet } from "../../src/late-collections.ts";
import { ConnectBackoff, InFlightLimit } from "../../src/server-state.ts";
import { type Coverage, type Invariant, Violation } from "./invariants.ts";
import type { Program } from "./program.ts";
import { World, type WorldConnection } from "./world.ts";

const ACQUIRE_MS = 300;
const CONNECT_MS = 500;
export const REQUEST_MS = 700;
export const LIFETIME_MS = 20_000;

/** A caller of the pool, and what became of it. */
export interface Ask {
  readonly kind: "acquire" | "request";
  readonly number: number;
  readonly key: string | undefined;
  readonly askedAt: number;
  readonly limitAt: number;
  readonly controller: AbortController | undefined;
  state: "pending" | "granted" | "failed";
  isAborted: boolean;
  /** Whether it joined the queue, rather than being served or refused at once. */
  isQueued: boolean;
}

/** A lease that the program has not given back. */
export interface Held {
  readonly lease: Lease;
  readonly connection: WorldConnection | undefined;
}

/** A pool, its world, and what one program has done with them so far. */
export class RunState {
  readonly program: Program;
  readonly world: World;
  readonly pool: McpConnectionPool;
  readonly limit: InFlightLimit;
  readonly backoff: ConnectBackoff;
  readonly asks: Ask[] = [];
  readonly held: Held[] = [];
  readonly signals: AbortSignal[] = [];
  /** Options that a program may change, besides the maximum. */
  terms: { readonly maxUses: number | undefined; readonly acquireMs: number };
  control: PoolControl | undefined;
  closing: Promise<void> | undefined;
  /** The first invariant that did not hold. */
  failure: Violation | undefined;
  readonly #coverage: Coverage;

  constructor(program: Program, coverage: Coverage) {
    const { pool } = program;
    this.program = program;
    this.terms = { maxUses: pool.maxUses, acquireMs: ACQUIRE_MS };
    this.#coverage = coverage;
    this.world = new World(program.world, pool.room);
    const { clock } = this.world;
    this.limit = new InFlightLimit(pool.limit);
    this.backoff = new ConnectBackoff(clock, undefined);
    const spy: PoolPlugin = {
      name: "spy",
      install: (control) => {
        this.control = control;
        return {};
      },
    };
    const server = {
      limit: this.limit,
      backoff: this.backoff,
      toolLimits: new LateMap<string, InFlightLimit>(),
      answeredLate: new LateSet<string>(),
      shared: new LateMap<string, unknown>(),
    };
    this.pool = new McpConnectionPool(this.world, this.options(pool.max), [spy], { clock, server });
  }

  /** The pool's options, with one maximum or another. */
  options(max: number): PoolOptions {
    const { pool } = this.program;
    return {
      sharing: pool.sharing,
      minConnections: Math.min(pool.min, max),
      maxConnections: max,
      maxWaiting: pool.maxWaiting,
      maxUses: this.terms.maxUses,
      validateOnAcquire: pool.validateOnAcquire,
      acquireTimeoutMs: this.terms.acquireMs,
      connectionTimeoutMs: CONNECT_MS,
      requestTimeoutMs: REQUEST_MS,
      maxIdleTimeMs: 4_000,
      cleanupIntervalMs: 1_000,
      maxLifetimeMs: LIFETIME_MS,
      onRelease: pool.onRelease === "reset" ? () => this.world.call("reset", () => {}) : pool.onRelease,
    };
  }

  /** Takes note of a new caller. */
  ask(kind: Ask["kind"], hasSignal: boolean, timeoutMs: number | undefined, key: string | undefined): Ask {
    const controller = hasSignal ? new AbortController() : undefined;
    if (controller !== undefined) this.signals.push(controller.signal);
    const askedAt = this.world.clock.now();
    const limitAt = askedAt + (timeoutMs ?? this.terms.acquireMs + CONNECT_MS);
    const number = this.asks.length;
    const ask: Ask = {
      kind,
      number,
      key,
      askedAt,
      limitAt,
      controller,
      state: "pending",
      isAborted: false,
      isQueued: false,
    };
    this.asks.push(ask);
    return ask;
  }

  worldConnectionOf(lease: Lease): WorldConnection | undefined {
    const { endpoint } = lease.connection;
    return this.world.connections.find((each) => each.endpoint === endpoint);
  }

  check(invariant: Invariant, holds: boolean, message: string): void {
    this.#coverage.invariant(invariant);
    if (!holds) this.failure ??= new Violation(invariant, message);
  }
}

/** Returns the item that a number of a program stands for. */
export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

/** Lets promises take their course. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await undefined;
}
