import type { FakeClock } from "@mcp-pool/core/testing";
import {
  circuitBreaker,
  health,
  McpMetricsCollector,
  type McpMetricsCollectorOptions,
  retry,
} from "../../src/index.ts";
import { type FullStack, fullStack } from "../full-stack.ts";

/** A full stack, and the collector that measures it. */
export interface Collected extends FullStack {
  readonly collector: McpMetricsCollector;
}

/** A full stack on a fake clock with a collector, whose clock is the same. */
export function collected(servers: readonly string[], options: McpMetricsCollectorOptions = {}): Collected {
  // The stack makes the clock, the collector needs it: until the stack is there, nothing asks for the time.
  let clock: FakeClock | undefined;
  const later = {
    now: () => clock?.now() ?? 1_000,
    epochMs: () => clock?.epochMs() ?? 0,
    random: () => 0.5,
    setTimer: (callback: () => void, delayMs: number) => {
      if (clock === undefined) throw new Error("the clock is not there yet");
      return clock.setTimer(callback, delayMs);
    },
  };
  const collector = new McpMetricsCollector({ clock: later, ...options });
  const stack = fullStack(servers, {
    pool: { maxConnections: 2, maxRequestsPerConnection: 5, acquireTimeoutMs: 1_000, connectionTimeoutMs: 1_000 },
    plugins: [
      collector.plugin,
      retry({ maxAttempts: 1 }),
      circuitBreaker({ failureThreshold: 5, recoveryTimeoutMs: 10_000, successThreshold: 2 }),
      health({ intervalMs: 3_600_000, timeoutMs: 1_000 }),
    ],
  });
  clock = stack.clock;
  collector.attach(stack.manager);
  return { ...stack, collector };
}
