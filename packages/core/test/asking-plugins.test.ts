import { describe, expect, it } from "vitest";
import { type Admission, McpPoolExhaustedError, type PoolPlugin } from "../src/index.ts";
import { manual } from "../src/testing/index.ts";
import { admitting, exclusivePool, outcomeOf, type ScriptedPoolSetup, scriptedPool } from "./scripted-pool.ts";

const REFUSAL = new McpPoolExhaustedError("not now");

/** A plugin that refuses those whom the test names. */
function gate() {
  const refused = new Set<Admission | "request">();
  const plugin: PoolPlugin = {
    name: "gate",
    install: () => ({
      admit: (asker) => (refused.has(typeof asker === "string" ? asker : "request") ? REFUSAL : undefined),
    }),
  };
  return { refused, plugin };
}

function gated(setup: ScriptedPoolSetup = {}) {
  const { refused, plugin } = gate();
  return { refused, ...exclusivePool({ maxConnections: 1, ...setup, plugins: [plugin] }) };
}

describe("a plugin that is asked who may have a connection", () => {
  it("may refuse leases and let requests pass, at once and when their turn comes", async () => {
    const { pool, clock, refused } = gated();
    const holder = await pool.acquire();
    const [lease, request] = [outcomeOf(pool.acquire()), outcomeOf(pool.request("ping"))];
    await clock.settle();
    refused.add("lease");
    expect(pool.tryAcquire()).toBeUndefined();
    holder.release();
    await clock.settle();
    expect([lease.error, request.state]).toEqual([REFUSAL, "resolved"]);
    expect(pool.tryAcquire()).toBeUndefined();
    refused.clear();
    pool.tryAcquire()?.release();
    expect(pool.stats().counters.hits).toBe(1);
  });

  it("may refuse requests and let leases pass", async () => {
    const { pool, clock, refused } = gated();
    const holder = await pool.acquire();
    const [request, lease] = [outcomeOf(pool.request("ping")), outcomeOf(pool.acquire())];
    await clock.settle();
    refused.add("request");
    holder.release();
    await clock.settle();
    expect([request.error, lease.state]).toEqual([REFUSAL, "resolved"]);
    lease.value?.release();
  });

  it("may refuse what is opened for the minimum alone, and let callers have theirs", async () => {
    const { pool, connector, clock, refused } = gated({ minConnections: 2, maxConnections: 5 });
    refused.add("refill");
    const lease = await pool.acquire();
    await clock.settle();
    expect(connector.connects).toHaveLength(1);
    refused.clear();
    lease.release();
    const again = await pool.acquire();
    const another = await pool.acquire();
    await clock.settle();
    expect(connector.connects.length).toBeGreaterThanOrEqual(2);
    again.release();
    another.release();
  });

  it("may refuse the spare connection that is opened beside a loaded one", async () => {
    const { refused, plugin } = gate();
    const { pool, connector, clock } = scriptedPool({ plugins: [plugin], connector: { concurrency: 4 } });
    refused.add("refill");
    const leases = [];
    for (let index = 0; index < 4; index++) leases.push(await pool.acquire());
    await clock.settle();
    expect(connector.connects).toHaveLength(1);
    refused.clear();
    leases.pop()?.release();
    leases.push(await pool.acquire());
    await clock.settle();
    expect(connector.connects).toHaveLength(2);
    for (const lease of leases) lease.release();
  });

  it("lends nothing past a caller whose turn has come, whoever asks for it meanwhile", async () => {
    const passing: unknown[] = [];
    let isAsking = false;
    const plugin = admitting(() => {
      if (!isAsking) return;
      isAsking = false;
      passing.push(pool.tryAcquire());
    });
    const tools = { slow: { maxConcurrent: 1 } };
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1, tools, plugins: [plugin] });
    connector.onRequest.always(manual());
    const call = { name: "slow" };
    const first = outcomeOf(pool.request("tools/call", call));
    await clock.settle();
    // It waits for the first call of its tool to end, and joins the line when the connection is free already.
    const second = outcomeOf(pool.request("tools/call", call));
    await clock.settle();
    isAsking = true;
    connector.pending[0]?.resolve();
    await clock.settle();
    connector.pending[0]?.resolve();
    await clock.settle();
    expect([first.state, second.state, passing]).toEqual(["resolved", "resolved", [undefined]]);
  });
});
