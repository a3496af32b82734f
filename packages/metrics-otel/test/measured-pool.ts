import { McpConnectionPool, type McpConnectionPoolOptions, type PoolPlugin } from "@mcp-pool/core";
import { FakeClock, ScriptedConnector } from "@mcp-pool/core/testing";
import type { Attributes } from "@opentelemetry/api";
import { DataPointType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { onTestFinished } from "vitest";

/** A pool on a fake clock and a scripted connector; it is closed after the test. */
export function measuredPool(
  plugins: readonly PoolPlugin[],
  options: McpConnectionPoolOptions = {},
): { readonly pool: McpConnectionPool; readonly connector: ScriptedConnector; readonly clock: FakeClock } {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock });
  const pool = new McpConnectionPool(connector, { name: "files", minConnections: 0, ...options }, plugins, { clock });
  onTestFinished(async () => {
    const closing = pool.close({ drainTimeoutMs: 0 });
    await clock.advance(40_000);
    await closing;
  });
  return { pool, connector, clock };
}

/** One series, as a reader finds it. */
export interface Series {
  readonly attributes: Attributes;
  /** Of a histogram: how many values it has. */
  readonly value: number;
}

/** A provider whose metrics a test reads when it wants to. */
export function testMeters(): {
  readonly provider: MeterProvider;
  series(name: string): Promise<readonly Series[]>;
} {
  class Reader extends MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const series = async (name: string): Promise<readonly Series[]> => {
    const { resourceMetrics } = await reader.collect();
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return all.flatMap((metric): readonly Series[] => {
      if (metric.descriptor.name !== name) return [];
      if (metric.dataPointType === DataPointType.HISTOGRAM)
        return metric.dataPoints.map(({ attributes, value }) => ({ attributes, value: value.count }));
      if (metric.dataPointType === DataPointType.SUM) return metric.dataPoints;
      return [];
    });
  };
  return { provider, series };
}
