import {
  type Clock,
  type Issue,
  McpConfigurationError,
  type PoolControl,
  type PoolEvent,
  type PoolPlugin,
  systemClock,
  type Unsubscribe,
} from "@mcp-pool/core";
import { Instruments } from "../instruments.ts";
import { recordingPlugin } from "../otel-metrics.ts";
import { resolveOtelMetricsOptions } from "../otel-options.ts";
import { healthSummary } from "./health-summary.ts";
import { MetricCallbacks } from "./metric-callbacks.ts";
import type { AllMetrics, HealthSummary, ServerMetrics } from "./metrics.ts";
import { loadPrometheus, type PrometheusModules, prometheusText } from "./prometheus-text.ts";
import { SeriesStore } from "./series-store.ts";
import { ServerFigures } from "./server-figures.ts";
import { serverMetrics } from "./server-metrics.ts";
import { type KeySpelling, type SnakeCase, snakeCase } from "./snake-case.ts";

/** Options of a {@link McpMetricsCollector}. */
export interface McpMetricsCollectorOptions {
  /** Time between two calls of the metric callbacks in milliseconds. @default 60_000 */
  readonly metricsIntervalMs?: number | undefined;
  /** Adds rows per tool and per connection. @default false */
  readonly detailedMetrics?: boolean | undefined;
  /** Loads the packages that write Prometheus' text format. @default imports them */
  readonly prometheus?: (() => Promise<PrometheusModules>) | undefined;
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
}

/** Which servers, and how the keys are spelled. */
export interface MetricsQuery<Keys extends KeySpelling = KeySpelling> {
  /** Only servers with this tag. */
  readonly tag?: string | undefined;
  /** @default "camelCase" */
  readonly keys?: Keys | undefined;
}

/** What a collector wants to know of a manager. */
export interface CollectedManager {
  servers(): readonly string[];
  stats(): {
    readonly maxTotalConnections: number;
    readonly servers: Readonly<Record<string, { readonly tags: readonly string[] }>>;
  };
}

/** Servers whose pools are closed that are still shown where no manager says which there are. */
const MAX_DEPARTED = 100;

/** Collects the figures of all pools that its {@link plugin} is installed in. All getters are synchronous. */
export class McpMetricsCollector {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #store = new SeriesStore();
  readonly #recording: PoolPlugin;
  readonly #figures = new Map<string, ServerFigures>();
  readonly #callbacks: MetricCallbacks;
  readonly #loadPrometheus: () => Promise<PrometheusModules>;
  #isDetailed: boolean;
  #manager: CollectedManager | undefined;
  /** Of servers that are gone. */
  #pastRequests = 0;
  #pastFailures = 0;

  /** @throws {McpConfigurationError} which lists every bad option */
  constructor(options: McpMetricsCollectorOptions = {}) {
    check(options);
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
    this.#isDetailed = options.detailedMetrics ?? false;
    this.#loadPrometheus = options.prometheus ?? loadPrometheus;
    this.#callbacks = new MetricCallbacks(this.#clock, options.metricsIntervalMs ?? 60_000, (error) =>
      this.#report(error),
    );
    const instruments = new Instruments(this.#store);
    this.#recording = recordingPlugin(resolveOtelMetricsOptions({ propagation: false }), () => instruments);
  }

  /** Install it in the pools whose figures are wanted. */
  readonly plugin: PoolPlugin = {
    name: "metrics-collector",
    install: (pool) => {
      const figures = this.#figuresOf(pool.serverName);
      figures.add(pool);
      this.#callbacks.setActive(true);
      const onEvent = (event: PoolEvent) => figures.onEvent(event, this.#isDetailed);
      const unsubscribe = pool.subscribe(onEvent, ServerFigures.TYPES);
      const recording = this.#recording.install(pool);
      return {
        dispose: () => {
          unsubscribe();
          recording.dispose?.();
          this.#remove(pool, figures);
        },
      };
    },
  };

  /** Takes the servers, their tags and the global cap from a manager; another manager takes its place. */
  attach(manager: CollectedManager): void {
    this.#manager = manager;
    this.#forgetDeparted();
  }

  /** Changes settings while pools are open. */
  configure(options: Pick<McpMetricsCollectorOptions, "metricsIntervalMs" | "detailedMetrics">): void {
    check(options);
    this.#isDetailed = options.detailedMetrics ?? false;
    this.#callbacks.setInterval(options.metricsIntervalMs ?? 60_000);
  }

  /** Everything in figures, ready for JSON. */
  getAllMetrics(query?: MetricsQuery<"camelCase">): AllMetrics;
  getAllMetrics(query: MetricsQuery<"snake_case">): SnakeCase<AllMetrics>;
  getAllMetrics(query: MetricsQuery = {}): AllMetrics | SnakeCase<AllMetrics> {
    const all = this.#all(query.tag);
    return query.keys === "snake_case" ? snakeCase(all) : all;
  }

  /** One server in figures; `undefined` for one that is not known. */
  getServerMetrics(name: string, query?: MetricsQuery<"camelCase">): ServerMetrics | undefined;
  getServerMetrics(name: string, query: MetricsQuery<"snake_case">): SnakeCase<ServerMetrics> | undefined;
  getServerMetrics(name: string, { keys }: MetricsQuery = {}): ServerMetrics | SnakeCase<ServerMetrics> | undefined {
    const figures = this.#figures.get(name);
    if (figures === undefined || !this.#isKnown(name)) return undefined;
    const metrics = this.#metricsOf(figures, this.#manager?.stats().servers[name]?.tags ?? []);
    return keys === "snake_case" ? snakeCase(metrics) : metrics;
  }

  /** How all servers do. */
  getHealthSummary(query?: MetricsQuery<"camelCase">): HealthSummary;
  getHealthSummary(query: MetricsQuery<"snake_case">): SnakeCase<HealthSummary>;
  getHealthSummary({ tag, keys }: MetricsQuery = {}): HealthSummary | SnakeCase<HealthSummary> {
    const summary = healthSummary(this.#all(tag));
    return keys === "snake_case" ? snakeCase(summary) : summary;
  }

  /**
   * Writes everything as JSON, or in the text format of Prometheus, which has OpenTelemetry's names and never resets.
   * @throws {McpConfigurationError} for an unknown format; for `"prometheus"`, rejects with it when its packages are missing
   */
  exportMetrics(format: "json", query?: MetricsQuery): string;
  exportMetrics(format: "prometheus"): Promise<string>;
  exportMetrics(format: "json" | "prometheus", query: MetricsQuery = {}): string | Promise<string> {
    switch (format) {
      case "json": {
        const all = this.#all(query.tag);
        return JSON.stringify(query.keys === "snake_case" ? snakeCase(all) : all, undefined, 2);
      }
      case "prometheus":
        return this.#prometheus();
      default: {
        const message = `must be "json" or "prometheus", not ${JSON.stringify(format)}`;
        throw new McpConfigurationError([{ path: "exportMetrics", message }]);
      }
    }
  }

  /** Calls back with all metrics each `metricsIntervalMs`, while there are pools; what it throws is reported as `listener-failed`. */
  addMetricCallback(callback: (metrics: AllMetrics) => unknown, query?: MetricsQuery<"camelCase">): Unsubscribe;
  addMetricCallback(
    callback: (metrics: SnakeCase<AllMetrics>) => unknown,
    query: MetricsQuery<"snake_case">,
  ): Unsubscribe;
  addMetricCallback(callback: (metrics: never) => unknown, query: MetricsQuery = {}): Unsubscribe {
    return this.#callbacks.add(() => callback(this.getAllMetrics(query as MetricsQuery<"camelCase">) as never));
  }

  /** Starts all counts and times anew; the series of OpenTelemetry and Prometheus go on. */
  resetMetrics(): void {
    for (const figures of this.#figures.values()) figures.reset();
    this.#pastRequests = 0;
    this.#pastFailures = 0;
  }

  #all(tag: string | undefined): AllMetrics {
    const manager = this.#manager?.stats();
    const tagsOf = (name: string) => manager?.servers[name]?.tags ?? [];
    const known = [...this.#figures].filter(([name]) => this.#isKnown(name));
    const wanted = known.filter(([name]) => tag === undefined || tagsOf(name).includes(tag));
    const servers = wanted.map(([name, figures]) => [name, this.#metricsOf(figures, tagsOf(name))] as const);
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
    const isAll = tag === undefined;
    return {
      timestamp: this.#clock.epochMs(),
      global: {
        totalServers: servers.length,
        totalConnections: sum(servers.map(([, { connections }]) => connections.total)),
        totalRequests: sum(wanted.map(([, { requests }]) => requests)) + (isAll ? this.#pastRequests : 0),
        totalErrors: sum(wanted.map(([, { failures }]) => failures)) + (isAll ? this.#pastFailures : 0),
        maxTotalConnections: manager?.maxTotalConnections,
        uptimeSeconds: (this.#clock.now() - this.#startedAt) / 1_000,
      },
      servers: Object.fromEntries(servers),
    };
  }

  #metricsOf(figures: ServerFigures, tags: readonly string[]): ServerMetrics {
    return serverMetrics(figures, this.#clock.now(), this.#isDetailed, tags);
  }

  async #prometheus(): Promise<string> {
    const modules = await this.#loadPrometheus();
    const now = this.#clock.epochMs();
    const startedAt = now - (this.#clock.now() - this.#startedAt);
    return prometheusText(modules, this.#store.collect(), startedAt, now);
  }

  #figuresOf(serverName: string): ServerFigures {
    let figures = this.#figures.get(serverName);
    if (figures === undefined) {
      figures = new ServerFigures(this.#clock);
      this.#figures.set(serverName, figures);
    }
    return figures;
  }

  /** Without a manager, each server that had a pool is known. */
  #isKnown(name: string): boolean {
    return this.#manager === undefined || this.#manager.servers().includes(name);
  }

  #remove(pool: PoolControl, figures: ServerFigures): void {
    figures.remove(pool);
    this.#forgetDeparted();
    const hasPools = [...this.#figures.values()].some(({ pools }) => pools.size > 0);
    if (!hasPools) this.#callbacks.setActive(false);
  }

  /** Forgets servers that are gone, but for their part in the totals. */
  #forgetDeparted(): void {
    const departed = [...this.#figures].filter(([, { pools }]) => pools.size === 0);
    const isGone = (name: string, index: number) =>
      this.#manager === undefined ? index < departed.length - MAX_DEPARTED : !this.#isKnown(name);
    for (const [index, [name, { requests, failures }]] of departed.entries()) {
      if (!isGone(name, index)) continue;
      this.#figures.delete(name);
      this.#pastRequests += requests;
      this.#pastFailures += failures;
    }
  }

  /** A callback of the user's that fails is told like any other listener, by one of the pools. */
  #report(error: unknown): void {
    for (const { pools } of this.#figures.values()) {
      for (const pool of pools) {
        pool.emit({ type: "listener-failed", error });
        return;
      }
    }
  }
}

const KNOWN = ["metricsIntervalMs", "detailedMetrics", "prometheus", "clock"];

function check(options: McpMetricsCollectorOptions): void {
  const { metricsIntervalMs: interval, detailedMetrics: detailed } = options;
  const issues: Issue[] = Object.keys(options)
    .filter((key) => !KNOWN.includes(key))
    .map((key) => ({ path: key, message: `is not known; there are ${KNOWN.join(", ")}` }));
  if (interval !== undefined && !(typeof interval === "number" && interval >= 1)) {
    issues.push({ path: "metricsIntervalMs", message: `must be at least 1 ms, not ${String(interval)}` });
  }
  if (detailed !== undefined && typeof detailed !== "boolean") {
    issues.push({ path: "detailedMetrics", message: `must be true or false, not ${String(detailed)}` });
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
}
