import { describe, expect, it } from "vitest";
import { outcomeOf } from "./outcome-of.ts";
import { poolBenches } from "./pool-bench.ts";
import { hang, manual } from "./script.ts";

/** Runs what a bench checks when its test is over, here in the midst of this one. */
function bench() {
  const checks: (() => Promise<void>)[] = [];
  const made = poolBenches((check) => void checks.push(check))([]);
  return { ...made, finish: () => Promise.all(checks.map((check) => check())) };
}

describe("a pool on a bench", () => {
  it("serves, tells, and is closed when its test is over", async () => {
    const { pool, recorder, connector, finish } = bench();
    await pool.request("ping");
    await finish();
    expect(pool.isClosed).toBe(true);
    expect(connector.connection(1).closes).toEqual(["pool-closed"]);
    expect(recorder.of("pool-closed")).toHaveLength(1);
  });

  it("is closed even if its server hangs", async () => {
    const { pool, connector, clock, finish } = bench();
    connector.onRequest.always(hang());
    connector.onClose.always(hang());
    const call = outcomeOf(pool.request("ping"));
    await clock.settle();
    await finish();
    expect(call.state).toBe("rejected");
  });

  it("must leave no timer", async () => {
    const { clock, finish } = bench();
    clock.setTimer(() => {}, 3_600_000);
    await expect(finish()).rejects.toThrow("1 timers are left");
  });
});

describe("the outcome of a promise", () => {
  it("is kept as it comes", async () => {
    const { pool, connector, clock, finish } = bench();
    connector.onRequest.always(manual());
    const outcomes = [outcomeOf(pool.request("one")), outcomeOf(pool.request("two"))];
    await clock.settle();
    expect(outcomes.map(({ state }) => state)).toEqual(["pending", "pending"]);
    connector.pending[0]?.resolve("fine");
    connector.pending[0]?.reject(new Error("bad"));
    await clock.settle();
    expect(outcomes).toMatchObject([{ state: "resolved", value: "fine" }, { state: "rejected" }]);
    await finish();
  });
});
