import { createHash } from "node:crypto";
import type {
  PluginInstallation,
  PoolControl,
  PoolEvent,
  PoolEventType,
  PoolPlugin,
  Unsubscribe,
} from "@mcp-pool/core";
import { type Attributes, context, trace } from "@opentelemetry/api";
import { BoundedNames } from "./bounded-names.ts";
import { ConnectionShapes } from "./connection-shapes.ts";
import { type Instruments, instrumentsOf } from "./instruments.ts";
import { MeasurementQueue } from "./measurement-queue.ts";
import { ATTRIBUTES } from "./names.ts";
import { type OtelMetricsOptions, type ResolvedOtelMetricsOptions, resolveOtelMetricsOptions } from "./otel-options.ts";
import { PoolRecorder } from "./pool-recorder.ts";
import { hasPropagator, injectContext } from "./propagation.ts";
import { ServerSeries } from "./server-series.ts";
import { Spans } from "./spans.ts";
import { VERSION } from "./version.ts";

/** Name under which the plugin is installed. */
export const OTEL_METRICS = "otel-metrics";

/** Identities that metrics tell apart, where they do at all. */
const MAX_IDENTITIES = 100;

/**
 * Records metrics of OpenTelemetry, by the MCP conventions, and optionally spans; hands the trace context to servers.
 * List it first, so that it sees what callers see. Where no provider is registered, nothing is recorded.
 * @throws {McpConfigurationError} which lists every bad option
 */
export function otelMetrics(options: OtelMetricsOptions = {}): PoolPlugin {
  const resolved = resolveOtelMetricsOptions(options);
  return recordingPlugin(resolved, () => instrumentsOf(resolved.meterProvider));
}

/** Makes the plugin for any instruments; those of the global provider may be there later only. */
export function recordingPlugin(
  options: ResolvedOtelMetricsOptions,
  instruments: () => Instruments | undefined,
): PoolPlugin {
  const toolNames = new BoundedNames(options.maxToolNames);
  const identities = new BoundedNames(MAX_IDENTITIES);
  const targetName = (serverName: string) => (target: string, method: string) => {
    const isTool = method === "tools/call";
    return toolNames.of((isTool ? options.toolName?.(target, serverName) : undefined) ?? target);
  };
  return {
    name: OTEL_METRICS,
    install: (pool) => {
      const attributes = attributesOf(pool, options, identities);
      const series = (own: Instruments) =>
        own.server(
          attributes,
          () =>
            new ServerSeries({
              attributes,
              standardAttributes: options.ownAttributes ? attributes : {},
              methods: own.methods,
              errorTypes: own.errorTypes,
              targetName: targetName(pool.serverName),
            }),
        );
      return install(pool, options, attributes, instruments, series);
    },
  };
}

function install(
  pool: PoolControl,
  options: ResolvedOtelMetricsOptions,
  attributes: Attributes,
  instruments: () => Instruments | undefined,
  seriesOf: (instruments: Instruments) => ServerSeries,
): PluginInstallation {
  const shapes = new ConnectionShapes();
  const isPropagated = options.propagation ?? hasPropagator();
  const spans = options.spans ? makeSpans(options, attributes, shapes, isPropagated) : undefined;
  let recorder: PoolRecorder | undefined;
  let unsubscribe: Unsubscribe | undefined;
  let leave = () => {};

  const queue = new MeasurementQueue(pool);
  const onEvent = (event: PoolEvent) => {
    shapes.onEvent(event);
    if (recorder === undefined && options.metrics && isFirstOfConnection(event)) record();
    recorder?.onEvent(event);
    if (event.type === "request-retried") spans?.onRetried(event);
  };
  const listen = (types: readonly PoolEventType[]) => {
    unsubscribe?.();
    unsubscribe = types.length === 0 ? undefined : pool.subscribe(onEvent, types);
  };
  /** Starts to record, if there is something to record with by now. */
  const record = () => {
    const own = instruments();
    if (own === undefined) return;
    recorder = new PoolRecorder(pool, own, seriesOf(own), shapes, queue);
    own.queues.add(queue);
    leave = () => own.queues.delete(queue);
    listen(PoolRecorder.TYPES);
  };

  if (options.metrics) record();
  if (recorder === undefined) {
    listen([
      ...(options.metrics || spans !== undefined ? ConnectionShapes.TYPES : []),
      ...(options.metrics ? (["connection-failed"] as const) : []),
      ...(spans === undefined ? [] : (["request-retried"] as const)),
    ]);
  }
  const dispose = () => {
    queue.flush();
    leave();
    unsubscribe?.();
    recorder?.dispose();
  };
  if (spans !== undefined) return { dispose, request: (next) => spans.wrap(next) };
  if (!isPropagated) return { dispose };
  return {
    dispose,
    request: (next) => (request) => {
      injectContext(context.active(), request);
      return next(request);
    },
  };
}

/** The first events of a connection are the latest moment to look for a provider again. */
function isFirstOfConnection({ type }: PoolEvent): boolean {
  return type === "connection-opened" || type === "connection-failed";
}

function makeSpans(
  { tracerProvider }: ResolvedOtelMetricsOptions,
  attributes: Attributes,
  shapes: ConnectionShapes,
  isPropagated: boolean,
): Spans {
  const tracer = (tracerProvider ?? trace).getTracer("@mcp-pool/metrics-otel", VERSION);
  return new Spans({ tracer, shapes, attributes, isPropagated });
}

/** Pools of one server share their attributes: names of single pools would never end. */
function attributesOf(
  { serverName, identity }: PoolControl,
  { name, identitySalt }: ResolvedOtelMetricsOptions,
  identities: BoundedNames,
): Attributes {
  const hash =
    identity === undefined || identitySalt === undefined
      ? undefined
      : createHash("sha256")
          .update(JSON.stringify([identitySalt, identity]))
          .digest("hex")
          .slice(0, 16);
  return {
    [ATTRIBUTES.pool]: name,
    [ATTRIBUTES.server]: serverName,
    ...(hash !== undefined && { [ATTRIBUTES.identity]: identities.of(hash) }),
  };
}
