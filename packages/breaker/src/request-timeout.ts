import type { PoolPlugin } from "@mcp-pool/core";
import { checkOptions } from "./check-options.ts";

/** Options of {@link requestTimeout}, in milliseconds. */
export interface RequestTimeoutOptions {
  /** Time for a whole request: waiting, all tries and the pauses between them. @default what the pool and the caller say */
  readonly totalMs?: number | undefined;
  /** Time for one try, from sending to the answer, so that a lost one leaves time for another. @default what the pool says */
  readonly attemptMs?: number | undefined;
}

/**
 * Bounds every request, whatever its caller asks for. The pool's own deadlines do the work, so it costs no timer.
 * @throws {McpConfigurationError} which lists every bad option
 */
export function requestTimeout(options: RequestTimeoutOptions): PoolPlugin {
  checkOptions("requestTimeout", options, { totalMs: { least: 1 }, attemptMs: { least: 1 } }, []);
  const { totalMs = Infinity, attemptMs } = options;
  return {
    name: "request-timeout",
    install: ({ clock }) => ({
      request: (next) => (request) => {
        const latestAt = clock.now() + totalMs;
        request.deadlineAt = Math.min(request.deadlineAt, latestAt);
        if (request.stretch !== undefined) request.stretch.latestAt = Math.min(request.stretch.latestAt, latestAt);
        request.attemptTimeoutMs = attemptMs;
        return next(request);
      },
    }),
  };
}
