import fc from "fast-check";

/** One step of a random program. Indices are taken modulo what there is. */
export interface Step {
  readonly do: "acquire" | "release" | "release-again" | "discard" | "abort" | "complete" | "microtasks" | "settle";
  /** Which one, or how many microtasks. */
  readonly index: number;
}

/** A random program, and how the hooks behave meanwhile. */
export interface Program {
  readonly max: number;
  /** Which of the coming hook calls end by themselves, in turn; the others wait for a `complete` step. */
  readonly automatic: readonly boolean[];
  /** Which of the coming hook calls fail: a finite budget, then all is well. */
  readonly faults: readonly boolean[];
  readonly steps: readonly Step[];
}

const step = (name: Step["do"], weight: number, most = 7) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(name), index: fc.integer({ min: 1, max: most }) }),
});

/** Programs of 4 to 40 steps, long ones preferred: short ones find almost nothing. */
export const program: fc.Arbitrary<Program> = fc.record({
  max: fc.integer({ min: 1, max: 3 }),
  automatic: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  faults: fc.array(fc.boolean(), { maxLength: 6 }),
  steps: fc.array(
    fc.oneof(
      step("acquire", 8),
      step("release", 6),
      step("release-again", 3),
      step("discard", 4),
      step("abort", 4),
      step("complete", 6),
      step("microtasks", 4, 14),
      step("settle", 3),
    ),
    { minLength: 4, maxLength: 40, size: "max" },
  ),
});
