import type { Timer } from "./clock.ts";
import { LateSet } from "./late-collections.ts";
import type { PoolPlugin } from "./plugin.ts";

/** Reports each lease that is held for `leakThresholdMs`, once, with the stack that acquired it. */
export const leakDetector: PoolPlugin = {
  name: "leak-detector",
  install(pool) {
    const reported = new LateSet<number>();
    let timer: Timer | undefined;
    const stop = () => {
      timer?.cancel();
      timer = undefined;
    };
    const schedule = () => {
      const { leakThresholdMs } = pool.options;
      if (leakThresholdMs === undefined || timer !== undefined) return;
      let dueAt = Infinity;
      for (const lease of pool.leases()) {
        if (!reported.has(lease.id)) dueAt = Math.min(dueAt, lease.acquiredAt + leakThresholdMs);
      }
      if (dueAt === Infinity) return;
      timer = pool.clock.setTimer(report, dueAt - pool.clock.now());
      timer.unref();
    };
    const report = () => {
      timer = undefined;
      const thresholdMs = pool.options.leakThresholdMs ?? Infinity;
      const held = [...pool.leases()];
      const heldIds = new Set(held.map((lease) => lease.id));
      for (const id of reported) if (!heldIds.has(id)) reported.delete(id);
      for (const { id, connectionId, acquiredAt, stack = "" } of held) {
        const heldMs = pool.clock.now() - acquiredAt;
        if (heldMs < thresholdMs || reported.has(id)) continue;
        reported.add(id);
        pool.emit({ type: "lease-leaked", leaseId: id, connectionId, heldMs, stack });
      }
      schedule();
    };
    let unsubscribeLeases: (() => void) | undefined;
    const configure = () => {
      stop();
      unsubscribeLeases?.();
      unsubscribeLeases = undefined;
      if (pool.options.leakThresholdMs === undefined) return;
      pool.trackLeases();
      unsubscribeLeases = pool.subscribe(schedule, ["lease-acquired"]);
      schedule();
    };
    const unsubscribe = pool.subscribe(configure, ["pool-reconfigured"]);
    configure();
    return {
      dispose() {
        unsubscribe();
        unsubscribeLeases?.();
        stop();
      },
    };
  },
};
