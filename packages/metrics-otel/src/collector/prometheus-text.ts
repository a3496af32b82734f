import { McpConfigurationError } from "@mcp-pool/core";
import { type HrTime, ValueType } from "@opentelemetry/api";
import type { MetricData, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { VERSION } from "../version.ts";
import type { StoredMetric } from "./series-store.ts";

/** The two packages that Prometheus' text format takes. */
export interface PrometheusModules {
  readonly sdk: Pick<
    typeof import("@opentelemetry/sdk-metrics"),
    "AggregationTemporality" | "DataPointType" | "MeterProvider" | "MetricReader"
  >;
  readonly exporter: Pick<typeof import("@opentelemetry/exporter-prometheus"), "PrometheusSerializer">;
}

/**
 * Loads the two packages; nobody who does without this format pays for them.
 * @throws {McpConfigurationError} when they are not installed
 */
export async function loadPrometheus(): Promise<PrometheusModules> {
  try {
    const [sdk, exporter] = await Promise.all([
      import("@opentelemetry/sdk-metrics"),
      import("@opentelemetry/exporter-prometheus"),
    ]);
    return { sdk, exporter };
  } catch (cause) {
    const message =
      'exporting "prometheus" needs two packages that could not be loaded; run: npm install @opentelemetry/sdk-metrics @opentelemetry/exporter-prometheus';
    throw new McpConfigurationError([{ path: "exportMetrics", message }], { cause });
  }
}

/** Writes series in the text format of Prometheus: read by the SDK as those of any other producer, written by its serialiser. */
export async function prometheusText(
  { sdk, exporter }: PrometheusModules,
  metrics: readonly StoredMetric[],
  startedAt: number,
  now: number,
): Promise<string> {
  const { AggregationTemporality, DataPointType } = sdk;
  const startTime = toHrTime(startedAt);
  const endTime = toHrTime(now);
  class Reader extends sdk.MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const collect = async () => ({ resourceMetrics: produced(), errors: [] });
  const reader = new Reader({ metricProducers: [{ collect }] });
  const provider = new sdk.MeterProvider({ readers: [reader] });
  const { resourceMetrics } = await reader.collect();
  await provider.shutdown();
  const isWithoutTarget = true;
  return new exporter.PrometheusSerializer(undefined, false, undefined, isWithoutTarget).serialize(resourceMetrics);

  function produced(): ResourceMetrics {
    const scope = { name: "@mcp-pool/metrics-otel", version: VERSION };
    const data = metrics.filter(({ points }) => points.length > 0).map(toData);
    // The SDK puts its own resource in the place of a producer's.
    return { resource: undefined as unknown as ResourceMetrics["resource"], scopeMetrics: [{ scope, metrics: data }] };
  }

  function toData({ definition, points }: StoredMetric): MetricData {
    const { name, description, unit, kind, boundaries = [] } = definition;
    const common = {
      descriptor: { name, description, unit, valueType: kind === "histogram" ? ValueType.DOUBLE : ValueType.INT },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    if (kind !== "histogram") {
      const dataPoints = points.map(({ attributes, value }) => ({ startTime, endTime, attributes, value }));
      return { ...common, dataPointType: DataPointType.SUM, isMonotonic: kind === "counter", dataPoints };
    }
    const dataPoints = points.flatMap(({ attributes, histogram }) => {
      if (histogram === undefined) return [];
      const { counts, ...sums } = histogram;
      const value = { ...sums, buckets: { boundaries: [...boundaries], counts: [...counts] } };
      return [{ startTime, endTime, attributes, value }];
    });
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
}

function toHrTime(epochMs: number): HrTime {
  const seconds = Math.floor(epochMs / 1_000);
  return [seconds, Math.round((epochMs - seconds * 1_000) * 1_000_000)];
}
