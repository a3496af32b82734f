/** The invariants the model checks. S: safety, L: liveness, F: order, B: bounds. */
export const INVARIANTS = {
  S1: "no connection carries more than its room, nor a server more than its limit",
  S2: "connections open, opening and closing stay within the maximum",
  S3: "where a connection stands follows from what is on it",
  S4: "counters add up, and agree with what the world saw",
  S5: "a second release changes nothing",
  S6: "every caller is answered once, and none who has left is served",
  S7: "no lease is granted on a connection that is gone",
  S8: "every connection is closed exactly once",
  S9: "callers see typed errors only",
  S10: "an answer goes to its own request",
  S11: "no request is sent twice",
  S12: "after close() no timer and no listener is left",
  L1: "everybody is answered, and nobody waits beside free room",
  L2: "freed capacity is used at once: nobody waits while a connection could be opened",
  L3: "a failed connect fails one caller at the most",
  L4: "close() settles, whether hooks end or not",
  L5: "an abort ends a wait at once",
  F1: "callers are served in the order in which they came",
  F2: "no newcomer passes those who wait",
  B1: "every wait ends within its time",
  B2: "connects that fail are spaced out, by growing pauses",
  B3: "the queue stays within its bound",
  B4: "no more connections are opened than callers need",
  B7: "connections end within the last 2.5 % of their lifetime, and serve nobody beyond it",
  B8: "no idle connection is closed below the minimum, and none that is in use",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** An invariant that does not hold. */
export class Violation extends Error {
  constructor(invariant: Invariant, message: string) {
    super(`${invariant}, ${INVARIANTS[invariant]}: ${message}`);
  }
}

/** Counts what the programs have reached. */
export class Coverage {
  readonly commands: Map<string, number> = new Map();
  readonly invariants: Map<string, number> = new Map();

  command(name: string): void {
    this.commands.set(name, (this.commands.get(name) ?? 0) + 1);
  }

  invariant(name: Invariant): void {
    this.invariants.set(name, (this.invariants.get(name) ?? 0) + 1);
  }

  /** Names of the commands and invariants that no program has reached. */
  missing(commands: readonly string[]): readonly string[] {
    const unrun = commands.filter((name) => !this.commands.has(name));
    return [...unrun, ...Object.keys(INVARIANTS).filter((name) => !this.invariants.has(name))];
  }
}
