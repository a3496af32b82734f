import type { Clock } from "@mcp-pool/core";

/** A pause that ends by its time, by its caller's signal, or when it is stopped. */
export interface AbortableDelay {
  /** Resolves when the time is up; rejects with the signal's reason, or with what it was stopped with. */
  readonly promise: Promise<void>;
  stop(reason: unknown): void;
}

/** Pauses for a while. Nothing of it is left when it has ended. */
export function abortableDelay(clock: Clock, delayMs: number, signal: AbortSignal | undefined): AbortableDelay {
  let stop: (reason: unknown) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    const end = () => {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    const onAbort = () => stop(signal?.reason);
    stop = (reason) => {
      end();
      reject(reason);
    };
    const timer = clock.setTimer(() => {
      end();
      resolve();
    }, delayMs);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
  return { promise, stop: (reason) => stop(reason) };
}
