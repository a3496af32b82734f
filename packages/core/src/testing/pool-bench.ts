import type { PoolPlugin } from "../plugin.ts";
import { McpConnectionPool } from "../pool.ts";
import type { McpConnectionPoolOptions } from "../pool-parts.ts";
import { EventRecorder } from "./event-recorder.ts";
import { FakeClock } from "./fake-clock.ts";
import { outcomeOf } from "./outcome-of.ts";
import { ScriptedConnector } from "./scripted-connector.ts";

/** A pool on a fake clock and a scripted connector, with everything it told. */
export interface PoolBench {
  readonly pool: McpConnectionPool;
  readonly connector: ScriptedConnector;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
}

/** Makes a pool with no minimum of connections and the given plugins, for one test. */
export type MakePoolBench = (plugins: readonly PoolPlugin[], options?: McpConnectionPoolOptions) => PoolBench;

/** Time in which a pool closes whatever its connector does, in milliseconds. */
const CLOSED_MS = 40_000;

/**
 * Returns what makes pools for tests. Each is closed when its test is over, and must then leave no timer.
 * @param onTestFinished registers what runs after the test under way: that of vitest, or `after` of `node:test`
 */
export function poolBenches(onTestFinished: (check: () => Promise<void>) => void): MakePoolBench {
  return (plugins, options = {}) => {
    const clock = new FakeClock();
    const connector = new ScriptedConnector({ clock, connectBackoff: { initialDelayMs: 1, maxDelayMs: 1 } });
    const pool = new McpConnectionPool(connector, { name: "files", minConnections: 0, ...options }, plugins, { clock });
    const recorder = new EventRecorder(pool);
    onTestFinished(async () => {
      const closing = outcomeOf(pool.close({ drainTimeoutMs: 0 }));
      await clock.advance(CLOSED_MS);
      if (closing.state !== "resolved") throw new Error(`close() is ${closing.state} after ${CLOSED_MS} ms`);
      if (clock.pending.length > 0) throw new Error(`${clock.pending.length} timers are left after close()`);
    });
    return { pool, connector, clock, recorder };
  };
}
