import { createPool as createGenericPool } from "generic-pool";
import { createPool as createLightningPool } from "lightning-pool";
import { Pool as TarnPool } from "tarn";
import { ACQUIRE_TIMEOUT_MS, type MakePlainPool, type PlainPool } from "./plain-pool.ts";

/** Makes a pool of generic-pool. @param acquireTimeoutMillis none: callers wait for ever */
export function genericPool(acquireTimeoutMillis?: number): MakePlainPool {
  return async (size) => {
    const factory = { create: async () => ({}), destroy: async () => {} };
    const timeout = acquireTimeoutMillis === undefined ? {} : { acquireTimeoutMillis };
    const pool = createGenericPool<object>(factory, { min: size, max: size, ...timeout });
    await pool.ready();
    const release = (held: object) => void pool.release(held);
    const close = () => pool.drain().then(() => pool.clear());
    return erase({ acquire: async () => pool.acquire(), release, close });
  };
}

/** Makes a pool of lightning-pool. @param acquireTimeoutMillis none: callers wait for ever */
export function lightningPool(acquireTimeoutMillis = 0): MakePlainPool {
  return async (size) => {
    const factory = { create: async () => ({}), destroy: async () => {} };
    const pool = createLightningPool<object>(factory, { min: size, max: size, maxQueue: 1e6, acquireTimeoutMillis });
    pool.start();
    return erase({
      acquire: () => pool.acquire(),
      release: (held) => pool.release(held),
      close: () => pool.closeAsync(true),
    });
  };
}

/** Makes a pool of tarn, which has no way to wait without a time-out. */
export function tarn(): MakePlainPool {
  return async (size) => {
    const pool = new TarnPool<object>({
      create: async () => ({}),
      destroy: () => {},
      min: size,
      max: size,
      acquireTimeoutMillis: ACQUIRE_TIMEOUT_MS,
    });
    return erase({
      acquire: () => pool.acquire().promise,
      release: (held) => void pool.release(held),
      close: () => pool.destroy(),
    });
  };
}

/** Scenarios don't look at what they hold. */
function erase(pool: PlainPool<object>): PlainPool<unknown> {
  return { ...pool, release: (held) => pool.release(held as object) };
}
