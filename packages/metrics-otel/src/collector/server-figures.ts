import { type Clock, McpPoolError, type PoolControl, type PoolEvent, type PoolEventType } from "@mcp-pool/core";
import { BoundedNames } from "../bounded-names.ts";
import { ErrorRate } from "./error-rate.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { ToolMetrics } from "./metrics.ts";
import { add, NOTHING, type ServerTotals, subtract, totalsOf } from "./server-totals.ts";

/** Tools of one server that get a row of their own. */
const MAX_TOOLS = 200;

interface ToolFigures {
  requests: number;
  errors: number;
  toolErrors: number;
  readonly latencies: LatencyHistogram;
}

/** What is measured of one server, over all its pools; what the pools count themselves is read from them. */
export class ServerFigures {
  static readonly TYPES: readonly PoolEventType[] = [
    "request-settled",
    "request-finished",
    "lease-acquired",
    "acquire-failed",
    "connection-opened",
    "connection-failed",
    "health-check-started",
    "health-check-passed",
    "health-check-failed",
  ];
  readonly pools: Set<PoolControl> = new Set();
  readonly errorRate: ErrorRate = new ErrorRate();
  readonly acquire: LatencyHistogram = new LatencyHistogram();
  readonly create: LatencyHistogram = new LatencyHistogram();
  readonly healthCheck: LatencyHistogram = new LatencyHistogram();
  readonly request: LatencyHistogram = new LatencyHistogram();
  readonly #clock: Pick<Clock, "now">;
  readonly #tools = new Map<string, ToolFigures>();
  readonly #checking = new Set<string>();
  #toolNames = new BoundedNames(MAX_TOOLS);
  /** Totals of pools that are closed, and of all at the last reset. */
  #past: ServerTotals = NOTHING;
  #baseline: ServerTotals = NOTHING;
  #peakSinceReset: number | undefined;
  /** Whether the last connect succeeded; `undefined` before the first. */
  isReachable: boolean | undefined;
  requests = 0;
  failures = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  get totals(): ServerTotals {
    return subtract(this.#all, this.#baseline);
  }

  get tools(): Readonly<Record<string, ToolMetrics>> {
    const rows = [...this.#tools].map(([name, { latencies, ...counts }]) => {
      return [name, { ...counts, timing: latencies.timing() }] as const;
    });
    return Object.fromEntries(rows);
  }

  /** The most connections in use at one time; since a reset, of those seen when somebody looked. */
  peakActive(active: number, peak: number): number {
    if (this.#peakSinceReset === undefined) return peak;
    this.#peakSinceReset = Math.max(this.#peakSinceReset, active);
    return this.#peakSinceReset;
  }

  add(pool: PoolControl): void {
    this.pools.add(pool);
  }

  remove(pool: PoolControl): void {
    this.#past = add(this.#past, totalsOf(pool));
    this.pools.delete(pool);
    if (this.pools.size === 0) this.isReachable = undefined;
  }

  onEvent(event: PoolEvent, isDetailed: boolean): void {
    switch (event.type) {
      case "request-settled":
        this.#onRequest(event, isDetailed);
        return;
      case "request-finished":
        if (event.hasOwnRoom) this.acquire.record(event.waitMs);
        return;
      case "lease-acquired":
        this.acquire.record(event.waitMs);
        return;
      case "acquire-failed":
        // A request that got no connection is told of when it settles. What is no error of the pool is a caller's abort.
        if (event.kind === "acquire" && McpPoolError.isInstance(event.error)) this.#count(isFailure(event.error));
        return;
      case "connection-opened":
        this.isReachable = true;
        this.create.record(event.durationMs);
        return;
      case "connection-failed":
        this.isReachable = false;
        return;
      case "health-check-started":
        this.#checking.add(event.poolName);
        return;
      case "health-check-passed":
      case "health-check-failed":
        // What traffic has proven was no check.
        if (this.#checking.delete(event.poolName)) this.healthCheck.record(event.durationMs);
        return;
      default:
    }
  }

  reset(): void {
    for (const each of [this.acquire, this.create, this.healthCheck, this.request]) each.reset();
    this.errorRate.reset();
    this.#tools.clear();
    this.#toolNames = new BoundedNames(MAX_TOOLS);
    this.#baseline = this.#all;
    this.#peakSinceReset = 0;
    this.requests = 0;
    this.failures = 0;
  }

  get #all(): ServerTotals {
    return [...this.pools].map(totalsOf).reduce(add, this.#past);
  }

  #onRequest(event: Extract<PoolEvent, { readonly type: "request-settled" }>, isDetailed: boolean): void {
    if (event.isAborted) return;
    const hasFailed = event.error !== undefined && isFailure(event.error);
    this.#count(hasFailed);
    this.request.record(event.durationMs);
    if (isDetailed && event.method === "tools/call" && event.target !== undefined) {
      const tool = this.#tool(event.target);
      tool.requests++;
      if (hasFailed) tool.errors++;
      if (event.isToolError) tool.toolErrors++;
      tool.latencies.record(event.durationMs);
    }
  }

  #count(hasFailed: boolean): void {
    this.requests++;
    if (hasFailed) this.failures++;
    this.errorRate.record(this.#clock.now(), hasFailed);
  }

  #tool(target: string): ToolFigures {
    const name = this.#toolNames.of(target);
    let tool = this.#tools.get(name);
    if (tool === undefined) {
      tool = { requests: 0, errors: 0, toolErrors: 0, latencies: new LatencyHistogram() };
      this.#tools.set(name, tool);
    }
    return tool;
  }
}

/** That the pool is closed says nothing about the server. */
function isFailure(error: unknown): boolean {
  return !(McpPoolError.isInstance(error) && error.code === "POOL_CLOSED");
}
