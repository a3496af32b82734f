/** Why a mutant may live. */
export const REASONS = {
  same: "the change makes no difference that anybody could see",
  cost: "the change costs time or memory only: it leaves out a short cut, or asks for what is not there",
  words: "the change is to the words of an error or a stack, not to what it says by code and type",
  redundant: "another part of the pool does the same, on purpose",
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

const dispatchIfNeeded = "if (this.queue.length > 0 || this.checker.room > 0) this.dispatch();";
const nothingToDo = "dispatching when there is nothing to do changes nothing";
const roomIsSeen = "whoever joins the queue dispatches, and so finds the room that the probe has made";

export const SURVIVORS: readonly Survivor[] = [
  {
    file: "dispatcher.ts",
    code: 'if (entry.state === "draining") entry.drainEnds?.();',
    change: "entry.drainEnds?.() → entry.drainEnds()",
    reason: "same",
    why: "it is set before a connection drains",
  },
  {
    file: "dispatcher.ts",
    code: dispatchIfNeeded,
    change: "this.queue.length > 0 || this.checker.room > 0 → true",
    reason: "cost",
    why: nothingToDo,
  },
  {
    file: "dispatcher.ts",
    code: dispatchIfNeeded,
    change: "this.queue.length > 0 → this.queue.length >= 0",
    reason: "cost",
    why: nothingToDo,
  },
  {
    file: "dispatcher.ts",
    code: dispatchIfNeeded,
    change: "this.checker.room > 0 → false",
    reason: "redundant",
    why: roomIsSeen,
  },
  {
    file: "dispatcher.ts",
    code: dispatchIfNeeded,
    change: "this.checker.room > 0 → this.checker.room >= 0",
    reason: "cost",
    why: nothingToDo,
  },
  {
    file: "dispatcher.ts",
    code: dispatchIfNeeded,
    change: "this.checker.room > 0 → this.checker.room <= 0",
    reason: "redundant",
    why: roomIsSeen,
  },
  {
    file: "dispatcher.ts",
    code: "this.#sticky.onReleased(entry);",
    change: "this.#sticky.onReleased(entry); → ;",
    reason: "redundant",
    why: "serving the connection, right after, puts the same callers in line for the limit, a place later at worst",
  },
  {
    file: "dispatcher.ts",
    code: 'if (entry.state === "ready") this.#serve(entry);',
    change: 'entry.state === "ready" → true',
    reason: "cost",
    why: nothingToDo,
  },
  {
    file: "dispatcher.ts",
    code: "dispatch: () => this.dispatch(),",
    change: "() => this.dispatch() → () => undefined",
    reason: "redundant",
    why: "the pool itself is in line for the limit beside its sticky keys, and serves them when its turn comes",
  },
  {
    file: "leases.ts",
    code: "return this.#tracked ?? [];",
    change: '[] → ["Stryker was here"]',
    reason: "same",
    why: "the leak detector tracks before it asks",
  },
  {
    file: "leases.ts",
    code: 'return this.#tracked === undefined ? undefined : new Error("acquired here").stack;',
    change: '"acquired here" → ""',
    reason: "words",
    why: "the stack is what counts",
  },
  {
    file: "leases.ts",
    code: 'if (events.wants("lease-acquired")) {',
    change: 'events.wants("lease-acquired") → true',
    reason: "cost",
    why: "an event is built that nobody gets",
  },
  {
    file: "leases.ts",
    code: 'if (events.wants("lease-released")) {',
    change: 'events.wants("lease-released") → true',
    reason: "cost",
    why: "an event is built that nobody gets",
  },
  {
    file: "manager.ts",
    code: "return (identity === undefined ? this.pool(server) : this.#registry.get(server).pool(iden…",
    change: "identity === undefined → false",
    reason: "same",
    why: "the pool for no identity is the server's own",
  },
  {
    file: "pool.ts",
    code: "this.#parts.subscriptions.clear();",
    change: "this.#parts.subscriptions.clear(); → ;",
    reason: "redundant",
    why: "a closed pool refuses to subscribe again",
  },
  {
    file: "wait-queue.ts",
    code: "isFollower = false;",
    change: "false → true",
    reason: "same",
    why: "it is set when the waiter joins a list",
  },
  {
    file: "wait-queue.ts",
    code: '#mode: WaitMode = "saturated";',
    change: '"saturated" → ""',
    reason: "same",
    why: "the first dispatch sets it before any time has passed",
  },
  {
    file: "wait-queue.ts",
    code: "if (this.#waiters.size === 0) return;",
    change: "this.#waiters.size === 0 → false",
    reason: "cost",
    why: "nobody is found to switch",
  },
  {
    file: "wait-queue.ts",
    code: "waiter.list?.remove(waiter);",
    change: "waiter.list?.remove → waiter.list.remove",
    reason: "same",
    why: "a waiter leaves once, and is in a list until then",
  },
  {
    file: "wait-queue.ts",
    code: "if (waiter.terms.signal !== undefined) unwatchAbort(waiter.terms.signal, waiter);",
    change: "waiter.terms.signal !== undefined → true",
    reason: "cost",
    why: "no signal is watched by nobody",
  },
  {
    file: "dispatcher.ts",
    code: "#isAgain = false;",
    change: "false → true",
    reason: "same",
    why: "it is set before it is read",
  },
  {
    file: "dispatcher.ts",
    code: "onStillInDoubt: () => this.dispatch(),",
    change: "() => this.dispatch() → () => undefined",
    reason: "redundant",
    why: "nobody counts on the room of a connection in doubt in the first place",
  },
  {
    file: "dispatcher.ts",
    code: "if (this.#isDispatching) return;",
    change: "this.#isDispatching → false",
    reason: "redundant",
    why: "each step is complete before it calls out, so that a nested call may go on; the guard keeps the stack flat",
  },
  {
    file: "dispatcher.ts",
    code: "this.#isDispatching = true;",
    change: "true → false",
    reason: "redundant",
    why: "each step is complete before it calls out, so that a nested call may go on; the guard keeps the stack flat",
  },
  {
    file: "dispatcher.ts",
    code: "this.#sticky.close();",
    change: "this.#sticky.close(); → ;",
    reason: "cost",
    why: "the limit keeps a closed pool in line until its turn, and it then finds nothing to do",
  },
  {
    file: "dispatcher.ts",
    code: "this.#context.server.limit.leave(this);",
    change: "this.#context.server.limit.leave(this); → ;",
    reason: "cost",
    why: "the limit keeps a closed pool in line until its turn, and it then finds nothing to do",
  },
  {
    file: "dispatcher.ts",
    code: "if (this.#isClosed) return;",
    change: "this.#isClosed → false",
    reason: "redundant",
    why: "the growth of a closed pool does nothing",
  },
  {
    file: "wait-queue.ts",
    code: "if (waiter.list === undefined) return;",
    change: "waiter.list === undefined → false",
    reason: "redundant",
    why: "the signal and the timer let go of a caller who leaves",
  },
];
