/** Runs one contender for about the given time, after a warm-up, and returns one figure in the unit of its scenario; less is better. */
export type Contender = (budgetMs: number) => Promise<number>;

/** What the figures of a scenario are. */
export type Unit = "ns" | "ms" | "bytes" | "count";

/** Something that several contenders do, so that their figures can be compared. */
export interface Scenario {
  readonly id: string;
  /** What is measured. */
  readonly title: string;
  readonly unit: Unit;
  /** The contender that all are compared with. */
  readonly baseline: string;
  /** How long a cell measures, in milliseconds. */
  readonly budgetMs: number;
  readonly contenders: Readonly<Record<string, Contender>>;
  /** Contenders that `--quick` leaves out; `all` leaves the scenario out. */
  readonly fullOnly: readonly string[] | "all";
  readonly targets: readonly Target[];
  /** What some contenders cannot do, and so are missing. */
  readonly notes?: readonly string[] | undefined;
}

/** How a contender must compare with the best of others; with none of them, `atMost` is in the unit of the scenario. */
export interface Target {
  readonly contender: string;
  readonly against: readonly string[];
  /** Upper bound of its figure, divided by theirs. */
  readonly atMost: number;
}
