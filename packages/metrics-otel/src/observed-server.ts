import { CIRCUIT_BREAKER, type CircuitBreaker, HEALTH, type HealthMonitor, type PoolControl } from "@mcp-pool/core";
import type { Attributes } from "@opentelemetry/api";
import type { Observe } from "./metric-sink.ts";
import { ATTRIBUTES, CIRCUIT_STATES, CONNECTION_STATES, METRICS, SERVER_STATES } from "./names.ts";

type CircuitState = (typeof CIRCUIT_STATES)[number];
type ConnectionState = (typeof CONNECTION_STATES)[number];
type ServerState = (typeof SERVER_STATES)[number];

/** The gauges of one server: sums over its pools, read when metrics are collected. Without a pool, all are zero. */
export class ObservedServer {
  readonly #pools = new Set<PoolControl>();
  readonly #attributes: Attributes;
  readonly #connections: Readonly<Record<ConnectionState, Attributes>>;
  readonly #circuits: Readonly<Record<CircuitState, Attributes>>;
  readonly #states: Readonly<Record<ServerState, Attributes>>;
  #hasBreaker = false;
  /** Whether the last connect succeeded; `undefined` before the first. */
  isReachable: boolean | undefined;
  farewells = 0;

  constructor(attributes: Attributes) {
    this.#attributes = attributes;
    this.#connections = perState(attributes, ATTRIBUTES.connectionState, CONNECTION_STATES);
    this.#circuits = perState(attributes, ATTRIBUTES.circuitState, CIRCUIT_STATES);
    this.#states = perState(attributes, ATTRIBUTES.serverState, SERVER_STATES);
  }

  add(pool: PoolControl): void {
    this.#pools.add(pool);
    this.farewells = 0;
  }

  remove(pool: PoolControl): void {
    this.#pools.delete(pool);
    if (this.#pools.size === 0) this.isReachable = undefined;
  }

  observe(observe: Observe): void {
    if (this.#pools.size === 0) this.farewells++;
    const counts = { idle: 0, used: 0, connecting: 0, draining: 0 };
    const circuits = { closed: 0, half_open: 0, open: 0 };
    let limit = 0;
    let minimum = 0;
    let waiting = 0;
    let usable = 0;
    for (const pool of this.#pools) {
      const { connections, waiting: own } = pool.stats();
      const { total, idle, connecting, draining, closing, max, min } = connections;
      const leaving = draining + closing;
      counts.idle += idle;
      counts.connecting += connecting;
      counts.draining += leaving;
      counts.used += total - idle - connecting - leaving;
      usable += total - connecting - leaving;
      limit += max;
      minimum += min;
      waiting += own;
      const breaker = pool.plugin(CIRCUIT_BREAKER) as CircuitBreaker | undefined;
      if (breaker !== undefined) {
        this.#hasBreaker = true;
        circuits[breaker.state === "half-open" ? "half_open" : breaker.state]++;
      }
    }
    for (const state of CONNECTION_STATES) observe(METRICS.connectionCount, counts[state], this.#connections[state]);
    observe(METRICS.connectionLimit, limit, this.#attributes);
    observe(METRICS.connectionIdleMax, limit, this.#attributes);
    observe(METRICS.connectionIdleMin, minimum, this.#attributes);
    observe(METRICS.pendingRequests, waiting, this.#attributes);
    if (this.#hasBreaker) {
      for (const state of CIRCUIT_STATES) observe(METRICS.circuitStatus, circuits[state], this.#circuits[state]);
    }
    const current = this.#state(usable);
    for (const state of SERVER_STATES) observe(METRICS.serverStatus, state === current ? 1 : 0, this.#states[state]);
  }

  /** What health checks say goes before what connections say. */
  #state(usable: number): ServerState | undefined {
    if (this.#pools.size === 0) return undefined;
    if (this.isReachable === false && usable === 0) return "unavailable";
    const verdicts = [...this.#pools].map(
      (pool) => (pool.plugin(HEALTH) as HealthMonitor | undefined)?.status.status ?? "unknown",
    );
    if (verdicts.includes("unhealthy")) return "unhealthy";
    return verdicts.includes("healthy") || this.isReachable === true ? "healthy" : "unknown";
  }
}

function perState<State extends string>(
  attributes: Attributes,
  attribute: string,
  states: readonly State[],
): Readonly<Record<State, Attributes>> {
  const entries = states.map((state) => [state, { ...attributes, [attribute]: state }] as const);
  return Object.fromEntries(entries) as Record<State, Attributes>;
}
