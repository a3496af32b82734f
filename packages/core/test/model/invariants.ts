/** The invariants the model checks. S: safety, L: liveness, F: order, B: bounds. */
export type Invariant =
  | "S1"
  | "S2"
  | "S3"
  | "S4"
  | "S5"
  | "S6"
  | "S7"
  | "S8"
  | "S9"
  | "S10"
  | "S12"
  | "L1"
  | "L4"
  | "L5"
  | "F1"
  | "F2"
  | "B1"
  | "B3";

/** An invariant that does not hold. */
export class Violation extends Error {
  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`);
  }
}

/** Counts what the programs have reached. */
export class Coverage {
  readonly commands = new Map<string, number>();
  readonly invariants = new Map<string, number>();

  command(name: string): void {
    this.commands.set(name, (this.commands.get(name) ?? 0) + 1);
  }

  invariant(name: Invariant): void {
    this.invariants.set(name, (this.invariants.get(name) ?? 0) + 1);
  }
}
