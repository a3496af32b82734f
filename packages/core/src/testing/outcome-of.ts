/** How a promise ended, as far as it has. */
export interface Settled<T> {
  state: "pending" | "resolved" | "rejected";
  value?: T;
  error?: unknown;
}

/** Keeps how a promise ends, so that a test can ask at any moment of its clock. */
export function outcomeOf<T>(promise: Promise<T>): Settled<T> {
  const outcome: Settled<T> = { state: "pending" };
  promise.then(
    (value) => Object.assign(outcome, { state: "resolved", value }),
    (error: unknown) => Object.assign(outcome, { state: "rejected", error }),
  );
  return outcome;
}
