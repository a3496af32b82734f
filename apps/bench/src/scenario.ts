/** Runs one contender for about the given time, after a warm-up, and returns nanoseconds per operation. */
export type Contender = (budgetMs: number) => Promise<number>;

/** Something that several contenders do, so that their times can be compared. */
export interface Scenario {
  /** The module that exports it as `scenario`; a cell loads nothing else. */
  readonly moduleUrl: string;
  readonly id: string;
  /** What one operation is. */
  readonly title: string;
  /** The contender that all are compared with. */
  readonly baseline: string;
  /** How long a cell measures, in milliseconds. */
  readonly budgetMs: number;
  readonly contenders: Readonly<Record<string, Contender>>;
  /** Contenders that `--quick` leaves out. */
  readonly fullOnly: readonly string[];
  readonly targets: readonly Target[];
}

/** How a contender must compare with the fastest of others. */
export interface Target {
  readonly contender: string;
  readonly against: readonly string[];
  /** Upper bound of its time, divided by theirs. */
  readonly atMost: number;
}
