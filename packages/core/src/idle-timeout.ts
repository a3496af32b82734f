import type { Timer } from "./clock.ts";
import type { PooledConnection, PoolPlugin } from "./plugin.ts";

/** Closes connections that have been idle for `maxIdleTimeMs`, the longest idle first, and keeps the minimum. */
export const idleTimeout: PoolPlugin = {
  name: "idle-timeout",
  install(pool) {
    let timer: Timer | undefined;
    let isDisposed = false;
    const stop = () => {
      timer?.cancel();
      timer = undefined;
    };
    const start = () => {
      if (isDisposed || timer !== undefined) return;
      timer = pool.clock.setTimer(sweep, pool.options.cleanupIntervalMs);
      timer.unref();
    };
    const sweep = () => {
      timer = undefined;
      const { maxIdleTimeMs, minConnections } = pool.options;
      const idleBefore = pool.clock.now() - maxIdleTimeMs;
      const candidates = [...pool.connections()].filter((each) => isIdle(each) && each.idleSince <= idleBefore);
      candidates.sort((a, b) => a.idleSince - b.idleSince);
      const { ready, busy, checking } = pool.stats().connections;
      let surplus = ready + busy + checking - minConnections;
      for (const connection of candidates) {
        // A connection kept for a key is given up even below the minimum: the key's time has passed.
        if (surplus <= 0 && connection.stickyKey === undefined) continue;
        pool.retire(connection, "idle");
        surplus--;
      }
      pool.refill();
      // A pool without its minimum tries again, though a back-off or the global cap has kept it from that so far.
      if (pool.stats().connections.total > 0 || minConnections > 0) start();
    };
    const unsubscribe = pool.subscribe(
      (event) => {
        if (event.type === "pool-reconfigured") stop();
        start();
      },
      ["connection-opened", "connection-failed", "pool-reconfigured"],
    );
    return {
      dispose() {
        isDisposed = true;
        unsubscribe();
        stop();
      },
    };
  },
};

function isIdle(connection: PooledConnection): boolean {
  return connection.state === "ready" && connection.inFlight === 0 && !connection.isPinned;
}
