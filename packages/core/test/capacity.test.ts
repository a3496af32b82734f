import { describe, expect, it } from "vitest";
import { type CapacityClaimant, ConnectionCap } from "../src/capacity.ts";
import { FakeClock } from "../src/testing/index.ts";
import { acquireMany, scriptedManager } from "./scripted-manager.ts";
import { outcomeOf } from "./scripted-pool.ts";

/** A pool that gives what it is told to give. */
class Claimant implements CapacityClaimant {
  readonly priority: number;
  idleSince: number | undefined;
  surplus = -1;
  closing = 0;
  draining = 0;
  asked: string[] = [];
  gives = true;

  constructor(priority = 0) {
    this.priority = priority;
  }

  onCapacity(): void {
    this.surplus++;
  }

  evictIdle(): boolean {
    this.asked.push("idle");
    return this.gives;
  }

  retireSurplus(): boolean {
    this.asked.push("surplus");
    return this.gives;
  }
}

describe("the global cap", () => {
  it("asks the next pool when the first has nothing to give", async () => {
    const clock = new FakeClock();
    const [unwilling, willing, waiting] = [new Claimant(0), new Claimant(1), new Claimant(2)];
    const cap = new ConnectionCap(2, clock, () => [unwilling, willing, waiting]);
    for (const each of [unwilling, willing]) {
      cap.take(each, false);
      each.surplus = 1;
    }
    unwilling.gives = false;
    willing.retireSurplus = () => {
      willing.asked.push("surplus");
      willing.surplus--;
      willing.draining++;
      return true;
    };
    expect(cap.take(waiting, false)).toBe(false);
    expect([unwilling.asked, willing.asked]).toEqual([["surplus"], ["surplus"]]);
    cap.withdraw(waiting);
    expect(clock.pending).toEqual([]);
  });

  it("takes from the next pool when all that the lowest one has is in doubt", async () => {
    const { manager, connector, clock } = scriptedManager({
      max: 4,
      pool: { minConnections: 0, validateOnAcquire: false, maxRequestsPerConnection: 1 },
      servers: { a: { priority: 0 }, b: { priority: 1 }, d: { priority: 2 } },
    });
    const held = await acquireMany(manager, "a", 2);
    const others = await acquireMany(manager, "b", 2);
    connector.onRequest.next({ kind: "hang" }, { kind: "hang" });
    connector.onProbe.always({ kind: "hang" });
    const calls = held.map((lease) => outcomeOf(lease.request("ping", undefined, { timeoutMs: 100 })));
    await clock.advance(6_000);
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "rejected"]);
    const urgent = outcomeOf(manager.acquire("d", { timeoutMs: 60_000 }));
    await clock.settle();
    expect(manager.pool("b").stats().connections.draining).toBe(1);
    for (const lease of others) lease.release();
    await clock.settle();
    expect(urgent.state).toBe("resolved");
    urgent.value?.release();
    for (const lease of held) lease.release();
  });

  it("does not look through all pools for every unit that comes back", () => {
    const count = 500;
    const members = Array.from({ length: 2 * count }, () => new Claimant());
    let looks = 0;
    const cap = new ConnectionCap(count, new FakeClock(), function* () {
      for (const member of members) {
        looks++;
        yield member;
      }
    });
    const [holders, waiting] = [members.slice(0, count), members.slice(count)];
    for (const holder of holders) cap.take(holder, false);
    for (const each of waiting) cap.take(each, false);
    for (const holder of holders) holder.closing = 1;
    looks = 0;
    for (const holder of holders) {
      holder.closing = 0;
      cap.give();
    }
    expect(waiting.map(({ surplus }) => surplus)).toEqual(waiting.map(() => 0));
    expect(looks).toBeLessThan(10 * members.length);
  });

  it("makes room once more for who asks for it from within an eviction", () => {
    const [victim, first, second] = [new Claimant(), new Claimant(), new Claimant()];
    const cap = new ConnectionCap(2, new FakeClock(), () => [victim, first, second]);
    cap.take(victim, false);
    cap.take(victim, false);
    victim.idleSince = 0;
    victim.evictIdle = () => {
      victim.asked.push("idle");
      victim.closing++;
      if (victim.closing === 1) cap.take(second, false);
      else victim.idleSince = undefined;
      return true;
    };
    cap.take(first, false);
    expect(victim.asked).toEqual(["idle", "idle"]);
    cap.withdraw(first);
    cap.withdraw(second);
  });
});
