import type { Clock, HealthStatus } from "@mcp-pool/core";
import type { ResolvedHealthOptions } from "./health-options.ts";

/** Counts the checks of one server. */
export class ServerVerdict {
  readonly #options: ResolvedHealthOptions;
  readonly #clock: Clock;
  #status: HealthStatus = {
    status: "unknown",
    checksPerformed: 0,
    checksFailed: 0,
    consecutiveFailures: 0,
    consecutivePasses: 0,
    lastCheckTime: undefined,
    lastDurationMs: undefined,
    lastError: undefined,
  };

  constructor(options: ResolvedHealthOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get status(): HealthStatus {
    return this.#status;
  }

  passed(durationMs: number): HealthStatus {
    const { status, checksPerformed, checksFailed, consecutivePasses } = this.#status;
    const passes = consecutivePasses + 1;
    const isGood = status !== "unhealthy" || passes >= this.#options.successThreshold;
    this.#status = {
      status: isGood ? "healthy" : "unhealthy",
      checksPerformed: checksPerformed + 1,
      checksFailed,
      consecutiveFailures: 0,
      consecutivePasses: passes,
      lastCheckTime: this.#clock.epochMs(),
      lastDurationMs: durationMs,
      lastError: undefined,
    };
    return this.#status;
  }

  failed(durationMs: number, error: Error): HealthStatus {
    const { status, checksPerformed, checksFailed, consecutiveFailures } = this.#status;
    const failures = consecutiveFailures + 1;
    this.#status = {
      status: failures >= this.#options.failureThreshold ? "unhealthy" : status,
      checksPerformed: checksPerformed + 1,
      checksFailed: checksFailed + 1,
      consecutiveFailures: failures,
      consecutivePasses: 0,
      lastCheckTime: this.#clock.epochMs(),
      lastDurationMs: durationMs,
      lastError: error.message,
    };
    return this.#status;
  }
}
