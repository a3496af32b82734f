/** Why a mutant may live. */
export const REASONS = {
  same: "the change makes no difference that anybody could see",
  cost: "the change costs time or memory only: it leaves out a short cut, or keeps what is not needed any more",
  words: "the change is to the words of an error, not to what it says by code and type",
  redundant: "another part of the pool does the same a little later, on purpose",
} as const;

/** One mutant that the tests let live. */
export interface Survivor {
  readonly file: string;
  /** The line it is in, and what becomes of it, as `npm run test:mutation` prints them. */
  readonly code: string;
  readonly change: string;
  readonly reason: keyof typeof REASONS;
  readonly why: string;
}

export const SURVIVORS: readonly Survivor[] = [];
