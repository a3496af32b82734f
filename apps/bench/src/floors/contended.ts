import { bareAwait, leastPool } from "../plain/floor.ts";
import { contend, type PlainPool } from "../plain/plain-pool.ts";
import { processorTimePerOperation } from "../time-per-operation.ts";

/**
 * Shows what lending eight objects to 64 workers costs at the least (scenario A2): a promise for each who waits, and a line.
 * The second pool adds what a lease must have, a release that counts once, and nothing else: no deadline, no limit, no figures.
 * Run it with `node --expose-gc apps/bench/src/floors/contended.ts`.
 */
async function leastPoolOfLeases(size: number): Promise<PlainPool<unknown>> {
  class Lease {
    readonly resource: unknown;
    isReleased = false;

    constructor(resource: unknown) {
      this.resource = resource;
    }
  }
  const pool = await leastPool(size);
  return {
    acquire: async () => new Lease(await pool.acquire()),
    release: (held) => {
      const lease = held as Lease;
      if (lease.isReleased) return;
      lease.isReleased = true;
      pool.release(lease.resource);
    },
    close: () => pool.close(),
  };
}

const WORKERS = 64;
const OBJECTS = 8;
const pools = { "bare await": bareAwait, "least possible pool": leastPool, "the same with leases": leastPoolOfLeases };
for (const [name, makePool] of Object.entries(pools)) {
  const pool = await makePool(OBJECTS);
  const time = await processorTimePerOperation(1_000, WORKERS * 200, (operations) =>
    contend(pool, WORKERS, operations),
  );
  console.log(`${name}: ${time.toFixed(0)} ns per acquire and release`);
}
