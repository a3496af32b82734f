/** Why a mutant may live. */
export const REASONS = {
  same: "the change makes no difference that anybody could see",
  cost: "the change costs time or memory only: it leaves out a short cut, or asks for what is not there",
  words: "the change is to the words of an error or a stack, not to what it says by code and type",
  redundant: "another part of the pool does the same, on purpose",
} as const;

/** Mutants of one line that the tests let live. */
export interface Survivor {
  readonly file: string;
  /** The line they are in, and what becomes of it in each, as `npm run test:mutation` prints them. */
  readonly code: string;
  readonly changes: readonly string[];
  readonly reason: keyof typeof REASONS;
  readonly why: string;
}
