import type { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/**
 * Collects the timers with which the SDK's transport resumes its streams, and returns what clears them all. The SDK
 * (1.32) keeps the last one only, so that its `close` leaves the others running when several streams broke at a time.
 */
export function collectReconnectionTimers(transport: StreamableHTTPClientTransport): () => void {
  const timers = new Set<NodeJS.Timeout>();
  let last: NodeJS.Timeout | undefined;
  Object.defineProperty(transport, "_reconnectionTimeout", {
    get: () => last,
    set: (timer: NodeJS.Timeout | undefined) => {
      last = timer;
      for (const old of timers) if (!old.hasRef()) timers.delete(old);
      if (timer !== undefined) timers.add(timer);
    },
  });
  return () => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  };
}
