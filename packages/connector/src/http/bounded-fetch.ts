import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";

/**
 * Gives up on answers that take too long, bodies included. For requests that many wait for, such as those for a token:
 * the deadline of one of these callers cannot end them.
 */
export function boundedFetch(fetch: FetchLike, timeoutMs: number): FetchLike {
  return (url, init) => {
    const bound = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, bound]) : bound;
    return fetch(url, { ...init, signal });
  };
}
