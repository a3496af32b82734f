import type { Survivor } from "./reasons.ts";

/** Mutants of what times those who wait. */
export const WAITING_SURVIVORS: readonly Survivor[] = [
  {
    file: "budget-line.ts",
    code: '#mode: WaitMode = "saturated";',
    changes: ['"saturated" → ""'],
    reason: "same",
    why: "the first dispatch sets it before any time has passed",
  },
  {
    file: "budget-line.ts",
    code: "if (acquireTimeoutMs !== this.#acquireMs || connectionTimeoutMs !== this.#openingMs) {",
    changes: ["acquireTimeoutMs !== this.#acquireMs || connectionTimeoutMs !== this.#openingMs → true"],
    reason: "cost",
    why: "everybody has the same budgets, but each is timed alone",
  },
  {
    file: "budget-line.ts",
    code: "this.#arrival = { at: undefined, openingMs: 0 };",
    changes: ["{ at: undefined, openingMs: 0 } → {}"],
    reason: "same",
    why: "both are set, by the stamp, before anybody's time is looked at",
  },
  {
    file: "budget-line.ts",
    code: "this.#stamp(now);",
    changes: ["this.#stamp(now); → ;"],
    reason: "redundant",
    why: "the stamp at the end of the same turn comes to the same sums, and sets the deadline if there is none",
  },
  {
    file: "budget-line.ts",
    code: "if (this.#arrival !== undefined) this.#stamp(this.#context.clock.now());",
    changes: ["this.#arrival !== undefined → true"],
    reason: "cost",
    why: "nobody is stamped twice; it only spares a look at the clock",
  },
  {
    file: "budget-line.ts",
    code: "if (this.#deadline.deadlineKey === 0) this.#arm();",
    changes: ["this.#deadline.deadlineKey === 0 → true"],
    reason: "cost",
    why: "a deadline that is right already is set once more",
  },
  {
    file: "wait-queue.ts",
    code: "if (waiter.own !== undefined) waiter.own.isFollower = false;",
    changes: ["waiter.own !== undefined → true"],
    reason: "same",
    why: "whoever waited in another list has budgets of its own; the check tells the compiler",
  },
  {
    file: "wait-queue.ts",
    code: "if (mode === this.mode) return;",
    changes: ["mode === this.mode → false"],
    reason: "cost",
    why: "time that is charged to one budget in two steps comes to the same",
  },
  {
    file: "wait-queue.ts",
    code: "if (waiter.list === undefined) return;",
    changes: ["waiter.list === undefined → false"],
    reason: "redundant",
    why: "the signal and the timer let go of a caller who leaves",
  },
  {
    file: "wait-queue.ts",
    code: "if (limitAt >= clock.now() + options.acquireTimeoutMs + options.connectionTimeoutMs) retu…",
    changes: [
      "limitAt >= clock.now() + options.acquireTimeoutMs + options.connectionTimeoutMs → false",
      "limitAt >= clock.now() + options.acquireTimeoutMs + options.connectionTimeoutMs → limitAt > clock.now() + options.acquireTimeoutMs + options.connectionTimeoutMs",
    ],
    reason: "cost",
    why: "a deadline is set that the budgets of the pool always come before",
  },
  {
    file: "wait-queue.ts",
    code: "if (own === undefined) return;",
    changes: ["own === undefined → false"],
    reason: "same",
    why: "only those with budgets of their own are switched; the check tells the compiler",
  },
  {
    file: "wait-queue.ts",
    code: "if (waiter.own !== undefined) this.#loners.delete(waiter);",
    changes: ["waiter.own !== undefined → true"],
    reason: "cost",
    why: "it is taken out of where it is not",
  },
  {
    file: "wait-queue.ts",
    code: "if (waiter.terms.signal !== undefined) unwatchAbort(waiter.terms.signal, waiter);",
    changes: ["waiter.terms.signal !== undefined → true"],
    reason: "cost",
    why: "no signal is watched by nobody",
  },
];
