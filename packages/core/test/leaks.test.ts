import { describe, expect, it } from "vitest";
import { scriptedPool } from "./scripted-pool.ts";

describe("a lease that is held for leakThresholdMs", () => {
  it("is reported once, with the stack that acquired it", async () => {
    const { pool, clock, recorder } = scriptedPool({ leakThresholdMs: 1_000 });
    async function forgetful() {
      return await pool.acquire();
    }
    const lease = await forgetful();
    await clock.advance(999);
    expect(recorder.of("lease-leaked")).toEqual([]);
    await clock.advance(1);
    const [leak] = recorder.of("lease-leaked");
    expect(leak).toMatchObject({ leaseId: lease.id, connectionId: 1, heldMs: 1_000 });
    expect(leak?.stack).toContain("forgetful");
    await clock.advance(60_000);
    expect(recorder.of("lease-leaked")).toHaveLength(1);
    lease.release();
  });

  it("is told from those that are given back in time, and from each other", async () => {
    const { pool, clock, recorder } = scriptedPool({ leakThresholdMs: 1_000 });
    const first = await pool.acquire();
    await clock.advance(400);
    const second = await pool.acquire();
    const good = pool.tryAcquire();
    await clock.advance(300);
    good?.release();
    await clock.advance(5_000);
    expect(recorder.of("lease-leaked").map(({ leaseId, heldMs }) => [leaseId, heldMs])).toEqual([
      [first.id, 1_000],
      [second.id, 1_000],
    ]);
    first.release();
    second.release();
  });

  it("is watched from the time on at which the option is set, and no longer than that", async () => {
    const { pool, clock, recorder } = scriptedPool();
    const before = await pool.acquire();
    expect(before.stack).toBeUndefined();
    pool.reconfigure({ minConnections: 0, leakThresholdMs: 500 });
    const after = await pool.acquire();
    expect(after.stack).toContain("leaks.test.ts");
    await clock.advance(500);
    expect(recorder.of("lease-leaked").map(({ leaseId }) => leaseId)).toEqual([after.id]);
    pool.reconfigure({ minConnections: 0 });
    const last = await pool.acquire();
    await clock.advance(60_000);
    expect(recorder.of("lease-leaked")).toHaveLength(1);
    for (const lease of [before, after, last]) lease.release();
  });
});
