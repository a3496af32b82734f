import { type AbortTarget, unwatchAbort, watchAbort } from "./abort-watch.ts";
import { CALLED_AT, type CallTime } from "./call-time.ts";
import type { Clock } from "./clock.ts";
import { McpTimeoutError, McpValidationError } from "./errors.ts";
import type { RequestHeaders, RequestOptions } from "./options.ts";

/** A value, or a function that supplies it for each use, such as one that fetches a token. */
export type Resolvable<T> = T | (() => T | PromiseLike<T>);

/** How long, and for whom, a value is waited for. */
export interface ResolvableTerms {
  /** Names the value in messages. */
  readonly option: string;
  readonly serverName: string;
  readonly signal: AbortSignal | undefined;
  /** Time for the whole call, and the clock time at which that began. */
  readonly timeoutMs: number;
  readonly startedAt: number;
  readonly clock: Clock;
}

/**
 * Calls the caller's function, and waits for its value no longer than the caller would.
 * @throws {McpValidationError} when the function fails, which is its cause
 * @throws {McpTimeoutError} when the time is up
 */
export function resolveWithin<T>(supply: () => T | PromiseLike<T>, terms: ResolvableTerms): Promise<T> {
  const { option, serverName, signal, timeoutMs, startedAt, clock } = terms;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      timer.cancel();
      if (signal !== undefined) unwatchAbort(signal, target);
      settle();
    };
    const target: AbortTarget = { onAbort: (reason) => end(() => reject(reason)) };
    const expire = () => {
      const message = `the function given as ${option} for MCP server "${serverName}" did not end within ${timeoutMs} ms; nothing was sent`;
      end(() => reject(new McpTimeoutError(message, { serverName, phase: "request", outcome: "not-sent" })));
    };
    const timer = clock.setTimer(expire, Math.max(startedAt + timeoutMs - clock.now(), 0));
    if (signal !== undefined) watchAbort(signal, target);
    const fail = (cause: unknown) => {
      const issue = `the function failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      const message = `invalid option of a call to MCP server "${serverName}": ${option}: ${issue}`;
      const issues = [{ path: option, message: issue }];
      end(() => reject(new McpValidationError(message, { serverName, issues, cause })));
    };
    new Promise<T>((settle) => settle(supply())).then((value) => end(() => resolve(value)), fail);
  });
}

/** Calls the function that supplies the headers of a call, within the time of the call, which goes on. */
export async function withHeaders(
  options: RequestOptions,
  supply: () => RequestHeaders | PromiseLike<RequestHeaders>,
  terms: Pick<ResolvableTerms, "serverName" | "timeoutMs" | "startedAt" | "clock">,
): Promise<RequestOptions & CallTime> {
  const { signal } = options;
  const headers = await resolveWithin(supply, { ...terms, option: "headers", signal });
  return { ...options, headers, [CALLED_AT]: terms.startedAt };
}
