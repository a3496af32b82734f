import type { Attributes } from "@opentelemetry/api";
import * as sdk3 from "@opentelemetry/sdk-metrics";
import { onTestFinished } from "vitest";

/** The SDK's lines that users have today. */
export const SDKS: readonly { readonly line: string; readonly sdk: typeof sdk3 }[] = [
  { line: "3.x", sdk: sdk3 },
  { line: "2.x", sdk: (await import("otel-sdk-metrics-2")) as unknown as typeof sdk3 },
];

/** Reads metrics when the test says so. */
export interface Meters {
  readonly provider: sdk3.MeterProvider;
  /** Every metric by name, each series in one line. */
  collect(): Promise<Collected>;
}

export type Collected = Readonly<Record<string, CollectedMetric>>;

export interface CollectedMetric {
  readonly unit: string;
  readonly kind: "histogram" | "counter" | "gauge";
  /** By attributes; a histogram is written as its count and its sum. */
  readonly points: Readonly<Record<string, number | string>>;
}

/** Makes a provider with a reader that has no timer. */
export function meters(sdk: typeof sdk3 = sdk3, isDelta = false): Meters {
  class Reader extends sdk.MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const { CUMULATIVE, DELTA } = sdk.AggregationTemporality;
  const reader = new Reader({ aggregationTemporalitySelector: () => (isDelta ? DELTA : CUMULATIVE) });
  const provider = new sdk.MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  return {
    provider,
    collect: async () => {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw errors[0];
      return flatten(resourceMetrics);
    },
  };
}

function flatten({ scopeMetrics }: sdk3.ResourceMetrics): Collected {
  const metrics = scopeMetrics.flatMap(({ scope, metrics: own }) => {
    return scope.name === "@mcp-pool/metrics-otel" ? own : [];
  });
  return Object.fromEntries(metrics.map((metric) => [metric.descriptor.name, describeMetric(metric)]));
}

function describeMetric(metric: sdk3.MetricData): CollectedMetric {
  const { unit } = metric.descriptor;
  if (metric.dataPointType === sdk3.DataPointType.HISTOGRAM) {
    const points = metric.dataPoints.map(({ attributes, value }) => {
      return [describe(attributes), `${value.count} in ${Math.round((value.sum ?? 0) * 1_000) / 1_000} s`] as const;
    });
    return { unit, kind: "histogram", points: Object.fromEntries(points) };
  }
  if (metric.dataPointType !== sdk3.DataPointType.SUM) throw new Error(`${metric.descriptor.name} is no sum`);
  const points = metric.dataPoints.map(({ attributes, value }) => [describe(attributes), value] as const);
  return { unit, kind: metric.isMonotonic ? "counter" : "gauge", points: Object.fromEntries(points) };
}

/** Our own attributes of the pool are the same everywhere, so they are shown only where they differ. */
function describe(attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([key, value]) => !(key === "mcp_pool.name" && value === "default"))
    .filter(([key, value]) => !(key === "mcp_pool.server.name" && value === "files"))
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(" ");
}
