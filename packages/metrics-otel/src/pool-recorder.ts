import { McpPoolError, type PoolControl, type PoolEvent, type PoolEventType } from "@mcp-pool/core";
import type { Attributes } from "@opentelemetry/api";
import type { ConnectionShapes } from "./connection-shapes.ts";
import { attemptError, poolErrorType } from "./error-type.ts";
import type { Instruments } from "./instruments.ts";
import type { MeasurementQueue, RecordValue } from "./measurement-queue.ts";
import { ATTRIBUTES } from "./names.ts";
import type { ServerSeries } from "./server-series.ts";

type EventOf<Type extends PoolEventType> = Extract<PoolEvent, { readonly type: Type }>;

/** Close reasons that say that something was wrong. */
const FAILURES: ReadonlySet<string> = new Set(["lost", "request-failed", "probe-failed"]);

/** Records what happens in one pool. */
export class PoolRecorder {
  static readonly TYPES: readonly PoolEventType[] = [
    "connection-opened",
    "connection-failed",
    "connection-closed",
    "lease-acquired",
    "lease-released",
    "acquire-failed",
    "request-finished",
    "request-retried",
    "circuit-state-changed",
    "circuit-rejected",
    "health-check-started",
    "health-check-passed",
    "health-check-failed",
  ];
  readonly #pool: PoolControl;
  readonly #instruments: Instruments;
  readonly #series: ServerSeries;
  readonly #shapes: ConnectionShapes;
  readonly #queue: MeasurementQueue;
  #isChecking = false;

  /** @param queue takes the values where recording them is not quick */
  constructor(
    pool: PoolControl,
    instruments: Instruments,
    series: ServerSeries,
    shapes: ConnectionShapes,
    queue: MeasurementQueue,
  ) {
    this.#pool = pool;
    this.#queue = queue;
    this.#instruments = instruments;
    this.#series = series;
    this.#shapes = shapes;
    series.observed.add(pool);
  }

  onEvent(event: PoolEvent): void {
    const { attributes } = this.#series;
    switch (event.type) {
      case "request-finished":
        this.#onRequest(event);
        return;
      case "lease-acquired":
        this.#record(this.#instruments.waitTime, event.waitMs, attributes);
        return;
      case "lease-released":
        this.#record(this.#instruments.useTime, event.useMs, attributes);
        return;
      case "acquire-failed":
        this.#onAcquireFailed(event);
        return;
      case "request-retried":
        this.#instruments.retries(attributes);
        return;
      case "connection-opened":
        this.#series.observed.isReachable = true;
        this.#record(this.#instruments.createTime, event.durationMs, attributes);
        return;
      case "connection-failed":
        this.#series.observed.isReachable = false;
        this.#record(this.#instruments.createTime, event.durationMs, this.#series.failed(poolErrorType(event.error)));
        return;
      case "connection-closed":
        this.#onClosed(event);
        return;
      case "circuit-state-changed":
        this.#instruments.circuitTransitions(
          this.#series.with(ATTRIBUTES.circuitState, event.to === "half-open" ? "half_open" : event.to),
        );
        return;
      case "circuit-rejected":
        this.#instruments.circuitRejections(attributes);
        return;
      case "health-check-started":
        this.#isChecking = true;
        return;
      case "health-check-passed":
        this.#onChecked(event.durationMs, undefined);
        return;
      case "health-check-failed":
        this.#onChecked(event.durationMs, poolErrorType(event.error));
        return;
      default:
    }
  }

  dispose(): void {
    this.#series.observed.remove(this.#pool);
  }

  #onRequest(event: EventOf<"request-finished">): void {
    const { durationMs, waitMs, hasOwnRoom, method, target } = event;
    const error = attemptError(event.judgement, event.isToolError, event.error);
    const shape = this.#shapes.of(event.connectionId);
    this.#record(this.#instruments.operationDuration, durationMs, this.#series.operation(shape, method, target, error));
    if (!hasOwnRoom) return;
    this.#record(this.#instruments.waitTime, waitMs, this.#series.attributes);
    this.#record(this.#instruments.useTime, durationMs, this.#series.attributes);
  }

  #onAcquireFailed({ waitMs, error }: EventOf<"acquire-failed">): void {
    this.#record(this.#instruments.waitTime, waitMs, this.#series.failed(poolErrorType(error)));
    if (!McpPoolError.isInstance(error)) return;
    // A full queue is told at once: nobody has waited.
    const isLate = error.code === "TIMEOUT" || (error.code === "POOL_EXHAUSTED" && waitMs > 0);
    if (isLate) this.#instruments.timeouts(this.#series.attributes);
    if (error.code === "CIRCUIT_OPEN") this.#instruments.circuitRejections(this.#series.attributes);
  }

  #onClosed({ connectionId, reason, ageMs }: EventOf<"connection-closed">): void {
    this.#instruments.closures(this.#series.with(ATTRIBUTES.closeReason, reason));
    const shape = this.#shapes.of(connectionId);
    // Later protocol revisions have no sessions.
    if (shape.era !== "legacy") return;
    const errorType = FAILURES.has(reason) ? reason : undefined;
    this.#record(this.#instruments.sessionDuration, ageMs, this.#series.session(shape, errorType));
  }

  #record(record: RecordValue, ms: number, attributes: Attributes): void {
    if (this.#instruments.isQuick) record(ms / 1_000, attributes);
    else this.#queue.push(record, ms / 1_000, attributes);
  }

  /** What traffic has proven was no check. */
  #onChecked(durationMs: number, errorType: string | undefined): void {
    if (!this.#isChecking) return;
    this.#isChecking = false;
    this.#record(this.#instruments.healthCheckDuration, durationMs, this.#series.failed(errorType));
  }
}
