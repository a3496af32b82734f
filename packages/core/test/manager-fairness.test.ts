import { describe, expect, it } from "vitest";
import type { McpConnectionManager } from "../src/index.ts";
import type { FakeClock } from "../src/testing/index.ts";
import { exclusive, scriptedManager } from "./scripted-manager.ts";

/** Keeps a server busy with so many callers that it never has an idle connection, until it is told to stop. */
function flood(manager: McpConnectionManager, clock: FakeClock, server: string, callers: number) {
  const state = { isOver: false, served: 0, failed: 0 };
  for (let caller = 0; caller < callers; caller++) {
    const work = async () => {
      while (!state.isOver) {
        try {
          const lease = await manager.acquire(server);
          await new Promise<void>((resolve) => void clock.setTimer(resolve, 100));
          state.served++;
          lease.release();
        } catch {
          state.failed++;
          return;
        }
      }
    };
    void work();
  }
  return state;
}

describe("pools that are never idle", () => {
  it.each([
    [1, 0],
    [2, 0],
    [2, 3],
    [4, 0],
  ])("share %i connections, and starve nobody, at %i steps of priority", async (max, priority) => {
    const { manager, clock, connector } = scriptedManager({
      max,
      servers: { greedy: { ...exclusive(), priority }, late: exclusive(), later: exclusive() },
    });
    const greedy = flood(manager, clock, "greedy", 8);
    await clock.advance(1_000);
    const others = [flood(manager, clock, "late", 2), flood(manager, clock, "later", 2)];
    await clock.advance(40_000);
    expect(connector.peak).toBe(max);
    // The first connection that is given up goes to those for whose sake it is.
    expect(connector.connects[max]?.serverName).not.toBe("greedy");
    for (const { served, failed } of [greedy, ...others]) {
      expect(failed, "nobody waits in vain").toBe(0);
      expect(served).toBeGreaterThan(20);
    }
    // Turns are worth their connects: they change no more than once in two seconds for each connection.
    expect(connector.connects.length).toBeLessThanOrEqual(max * 20 + 4);
    for (const each of [greedy, ...others]) each.isOver = true;
    await clock.advance(11_000);
  });
});
