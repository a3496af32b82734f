/** What every pool of plain objects can do. */
export interface PlainPool<Held> {
  acquire(): Promise<Held>;
  release(held: Held): void;
  close(): Promise<unknown>;
  /** Does what {@link cycle} and {@link contend} do, where that is not done with promises. */
  cycle?(workers: number, operations: number, isHeld: boolean): Promise<void>;
}

/** Makes a pool of the given number of objects, all of which are there. */
export type MakePlainPool = (size: number) => Promise<PlainPool<unknown>>;

/** How long a caller waits at most, where a contender has a time-out. */
export const ACQUIRE_TIMEOUT_MS = 10_000;

/** Acquires and releases, with so many workers side by side; each of them takes and gives in turn. */
export async function cycle(pool: PlainPool<unknown>, workers: number, operations: number): Promise<void> {
  if (pool.cycle !== undefined) return pool.cycle(workers, operations, false);
  const work = async () => {
    for (let operation = 0; operation < operations / workers; operation++) pool.release(await pool.acquire());
  };
  await (workers === 1 ? work() : Promise.all(Array.from({ length: workers }, work)));
}

/**
 * The same, but each worker holds what it has while it waits for something else that is there at once. Without that, the fibers of
 * Effect would come and go one after the other, and never meet.
 */
export async function contend(pool: PlainPool<unknown>, workers: number, operations: number): Promise<void> {
  if (pool.cycle !== undefined) return pool.cycle(workers, operations, true);
  const work = async () => {
    for (let operation = 0; operation < operations / workers; operation++) {
      const held = await pool.acquire();
      await undefined;
      pool.release(held);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}
