import type { Clock } from "./clock.ts";

/** Names the clock time in milliseconds at which a call began, where something went before its pool had it. */
export const CALLED_AT: unique symbol = Symbol("calledAt");

/** Options of a call that may have begun before its pool had them: while a function found out the identity, for one. */
export interface CallTime {
  readonly [CALLED_AT]?: number | undefined;
}

/** Returns the options of a call with the time that is left of its own, where it has begun before now. */
export function fromNow<Options extends { readonly timeoutMs?: number | undefined }>(
  options: Options & CallTime,
  defaultMs: number,
  clock: Clock,
): Options {
  const startedAt = options[CALLED_AT];
  if (startedAt === undefined) return options;
  const leftMs = startedAt + (options.timeoutMs ?? defaultMs) - clock.now();
  return { ...options, timeoutMs: Math.max(leftMs, 1), [CALLED_AT]: undefined };
}
