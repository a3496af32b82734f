/** What every pool of plain objects can do. */
export interface PlainPool<Held> {
  acquire(): Promise<Held>;
  release(held: Held): void;
  close(): Promise<unknown>;
}

/** Makes a pool of the given number of objects, all of which are there. */
export type MakePlainPool = (size: number) => Promise<PlainPool<unknown>>;

/** How long a caller waits at most, where a contender has a time-out. */
export const ACQUIRE_TIMEOUT_MS = 10_000;
