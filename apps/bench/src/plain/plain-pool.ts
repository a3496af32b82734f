/** What every pool of plain objects can do. */
export interface PlainPool<Held> {
  acquire(signal?: AbortSignal): Promise<Held>;
  release(held: Held): void;
  close(): Promise<unknown>;
  /** Acquires and releases, with so many workers side by side, where that is not done with promises. */
  cycle?(workers: number, operations: number): Promise<void>;
}

/** Makes a pool of the given number of objects, all of which are there. */
export type MakePlainPool = (size: number) => Promise<PlainPool<unknown>>;

/** How long a caller waits at most, where a contender has a time-out. */
export const ACQUIRE_TIMEOUT_MS = 10_000;

/** Acquires and releases, with so many workers side by side; each of them takes and gives in turn. */
export async function cycle(pool: PlainPool<unknown>, workers: number, operations: number): Promise<void> {
  if (pool.cycle !== undefined) return pool.cycle(workers, operations);
  const work = async () => {
    for (let operation = 0; operation < operations / workers; operation++) pool.release(await pool.acquire());
  };
  await (workers === 1 ? work() : Promise.all(Array.from({ length: workers }, work)));
}
