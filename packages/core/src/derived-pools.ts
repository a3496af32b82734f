import { CIRCUIT_BREAKER, type CircuitBreaker } from "./circuit-breaker.ts";
import type { Clock } from "./clock.ts";
import { McpPoolExhaustedError } from "./errors.ts";
import { LateMap } from "./late-collections.ts";
import type { McpConnectionPool } from "./pool.ts";

/** A pool that is made when it is asked for first, and thrown away when nobody uses it any more. */
export interface DerivedPool {
  readonly pool: McpConnectionPool;
  /** Whether something is under way that may hold no connection. */
  readonly isActive: () => boolean;
  /** Clock time in milliseconds at which it was asked for last. */
  usedAt: number;
  /** Clock time in milliseconds at which it got its place in the order of use. */
  placedAt: number;
}

/** How exact the order of use is, in milliseconds. */
const ORDER_MS = 1_000;

/** The pools of one server beside its main one, in the order of their use, and no more of them than are allowed. */
export class DerivedPools {
  readonly #serverName: string;
  readonly #clock: Clock;
  readonly #pools = new LateMap<string, DerivedPool>();

  constructor(serverName: string, clock: Clock) {
    this.#serverName = serverName;
    this.#clock = clock;
  }

  entries(): Iterable<[string, DerivedPool]> {
    return this.#pools.entries();
  }

  /** Takes note of a use. The order is exact to a second only: a call should not pay for more. */
  use(key: string): McpConnectionPool | undefined {
    const derived = this.#pools.get(key);
    if (derived === undefined) return undefined;
    const now = this.#clock.now();
    if (now - derived.placedAt >= ORDER_MS) {
      this.#pools.delete(key);
      this.#pools.set(key, derived);
      derived.placedAt = now;
    }
    derived.usedAt = now;
    return derived.pool;
  }

  add(key: string, derived: DerivedPool): void {
    this.#pools.set(key, derived);
  }

  /**
   * Makes room for one more: at the bound, the pool that was used longest ago and has nothing to do is closed,
   * and one whose circuit is open or held only where there is no other.
   * @throws {McpPoolExhaustedError} when all are busy
   */
  makeRoom(max: number): void {
    if (this.#pools.size < max) return;
    const isIdle = ({ pool, isActive }: DerivedPool) => !isBusy(pool) && !isActive();
    if (this.#close((each) => isIdle(each) && !isBarred(each.pool), 1) || this.#close(isIdle, 1)) return;
    const serverName = this.#serverName;
    const message = `MCP server "${serverName}" serves ${this.#pools.size} identities at one time already, the most that maxIdentities allows`;
    throw new McpPoolExhaustedError(message, { serverName });
  }

  /** Closes those that nobody has asked for since a time of the clock, and that have nothing left to do. */
  sweep(since: number): void {
    this.#close(({ pool, isActive, usedAt }) => {
      if (usedAt > since || pool.stats().connections.total > 0) return false;
      return !isBusy(pool) && !isActive() && !isBarred(pool);
    });
  }

  /** Returns whether there was one. */
  #close(isUnneeded: (derived: DerivedPool) => boolean, most = Infinity): boolean {
    let closed = 0;
    for (const [key, derived] of this.#pools) {
      if (closed >= most) break;
      if (!isUnneeded(derived)) continue;
      this.#pools.delete(key);
      void derived.pool.close();
      closed++;
    }
    return closed > 0;
  }
}

/** Whether a pool has work under way, or opens something for it. */
function isBusy(pool: McpConnectionPool): boolean {
  const { connections, waiting, leases } = pool.stats();
  return connections.active > 0 || connections.connecting > 0 || waiting > 0 || leases > 0;
}

/** Whether the pool's circuit is held by somebody, or still open: a new pool would know nothing of that. */
function isBarred(pool: McpConnectionPool): boolean {
  const breaker = pool.plugin(CIRCUIT_BREAKER) as Partial<CircuitBreaker> | undefined;
  if (typeof breaker?.getStats !== "function") return false;
  const { forced, retryAfterMs = 0 } = breaker.getStats();
  return forced || retryAfterMs > 0;
}
