import type { McpSettings } from "@mcp-pool/config";
import type { PoolPlugin } from "@mcp-pool/core";
import { type OtelMetricsOptions, otelMetrics } from "@mcp-pool/metrics-otel";
import { McpMetricsCollector, type PrometheusModules } from "@mcp-pool/metrics-otel/collector";
import { withPaths } from "./paths-of-issues.ts";

/** Makes a collector that finds the packages for Prometheus among the dependencies of this one. */
export function createCollector(): McpMetricsCollector {
  return new McpMetricsCollector({ prometheus: loadPrometheus });
}

/** The providers that a user may hand over. */
export type Telemetry = Pick<OtelMetricsOptions, "meterProvider" | "tracerProvider">;

/** Makes what the pools of a manager are measured with, and hands the settings on that may change while they are open. */
export class ManagerMetrics {
  readonly #collector: McpMetricsCollector;
  readonly #telemetry: Telemetry;

  constructor(collector: McpMetricsCollector, { meterProvider, tracerProvider }: Telemetry) {
    this.#collector = collector;
    this.#telemetry = { meterProvider, tracerProvider };
    // Nothing in the options is called "metrics".
    withPaths(
      (path) => path.replace(/^metrics\./, "options."),
      () => otelMetrics(this.#telemetry),
    );
  }

  configure({ detailedMetrics, metricsIntervalMs }: McpSettings): void {
    this.#collector.configure({ detailedMetrics, metricsIntervalMs });
  }

  /**
   * Makes the plugins of one server's pools: first in the list, since they are to see what callers see.
   * @param taken names of the plugins that the user has brought, which take the place of ours
   */
  plugins({ enableMetrics = true }: McpSettings, taken: ReadonlySet<string>): readonly PoolPlugin[] {
    const plugins = [otelMetrics({ ...this.#telemetry, metrics: enableMetrics })];
    if (enableMetrics) plugins.push(this.#collector.plugin);
    return plugins.filter(({ name }) => !taken.has(name));
  }
}

async function loadPrometheus(): Promise<PrometheusModules> {
  const [sdk, exporter] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/exporter-prometheus"),
  ]);
  return { sdk, exporter };
}
