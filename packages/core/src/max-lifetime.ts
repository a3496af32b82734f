import type { Timer } from "./clock.ts";
import type { PooledConnection, PoolPlugin } from "./plugin.ts";

/** The part of the lifetime by which connections opened together end apart; HikariCP's variance. */
const JITTER = 0.025;

/** Longest wait of one timer, in milliseconds: a day. */
const MAX_WAIT_MS = 86_400_000;

/** Replaces connections that have lived for `maxLifetimeMs`, less up to 2.5 %. They drain before they close. */
export const maxLifetime: PoolPlugin = {
  name: "max-lifetime",
  install(pool) {
    const timers = new Map<number, Timer>();
    const stop = (connectionId: number) => {
      timers.get(connectionId)?.cancel();
      timers.delete(connectionId);
    };
    const startAll = () => {
      const { maxLifetimeMs } = pool.options;
      if (maxLifetimeMs === Infinity) return;
      for (const connection of pool.connections()) {
        if (timers.has(connection.id)) continue;
        arm(connection, connection.openedAt + maxLifetimeMs * (1 - JITTER * pool.clock.random()));
      }
    };
    /** A clock may not be able to wait for as long as that at one time; the system's cannot. */
    const arm = (connection: PooledConnection, endsAt: number) => {
      const onDue = () => {
        if (pool.clock.now() < endsAt) arm(connection, endsAt);
        else pool.retire(connection, "lifetime");
      };
      const timer = pool.clock.setTimer(onDue, Math.min(endsAt - pool.clock.now(), MAX_WAIT_MS));
      timer.unref();
      timers.set(connection.id, timer);
    };
    const stopAll = () => {
      for (const connectionId of [...timers.keys()]) stop(connectionId);
    };
    const unsubscribe = pool.subscribe(
      (event) => {
        if (event.type === "connection-closed") stop(event.connectionId);
        else if (event.type === "connection-opened") startAll();
        else {
          stopAll();
          startAll();
        }
      },
      ["connection-opened", "connection-closed", "pool-reconfigured"],
    );
    return {
      dispose() {
        unsubscribe();
        stopAll();
      },
    };
  },
};
