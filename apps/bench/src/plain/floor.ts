import type { PlainPool } from "./plain-pool.ts";

/** No pool at all: the cost of waiting for a promise that is settled, which nothing that awaits can beat. */
export async function bareAwait(): Promise<PlainPool<unknown>> {
  const resource = {};
  return { acquire: () => Promise.resolve(resource), release: () => {}, close: async () => {} };
}

/** The least that may call itself a pool: no limits, no deadlines, no statistics, no errors. */
export async function leastPool(size: number): Promise<PlainPool<unknown>> {
  const free: unknown[] = Array.from({ length: size }, () => ({}));
  let waiting: ((resource: unknown) => void)[] = [];
  let served = 0;
  return {
    acquire: () => (free.length > 0 ? Promise.resolve(free.pop()) : new Promise((resolve) => waiting.push(resolve))),
    release(resource) {
      const waiter = waiting[served];
      if (waiter === undefined) {
        free.push(resource);
        return;
      }
      waiter(resource);
      // Dropping what was served only now and then keeps this O(1).
      if (++served < 1_024) return;
      waiting = waiting.slice(served);
      served = 0;
    },
    close: async () => {},
  };
}
