import fc from "fast-check";
import type { PoolEvent } from "../../src/index.ts";
import type { Outcome, WorldOptions } from "./world.ts";

/** One step of a random program. Indices are taken modulo what there is. */
export type Command =
  | {
      readonly do: "acquire";
      readonly signal: boolean;
      readonly timeoutMs: number | undefined;
      readonly key: string | undefined;
    }
  | { readonly do: "try-acquire" }
  | { readonly do: "request"; readonly signal: boolean; readonly timeoutMs: number | undefined }
  | { readonly do: "lease-request"; readonly index: number }
  | { readonly do: "release"; readonly index: number }
  | { readonly do: "release-again"; readonly index: number }
  | { readonly do: "discard"; readonly index: number }
  | { readonly do: "abort"; readonly index: number }
  | { readonly do: "kill"; readonly index: number }
  | { readonly do: "evict"; readonly index: number }
  | { readonly do: "complete"; readonly index: number; readonly outcome: Outcome }
  | { readonly do: "microtasks"; readonly count: number }
  | { readonly do: "settle" }
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "set-max"; readonly max: number }
  | { readonly do: "set-limit"; readonly limit: number }
  | { readonly do: "set-terms"; readonly maxUses: number | undefined; readonly acquireMs: number }
  | { readonly do: "warm-up" }
  | { readonly do: "close" };

/** Every command there is. */
export const COMMANDS: readonly Command["do"][] = [
  "acquire",
  "try-acquire",
  "request",
  "lease-request",
  "release",
  "release-again",
  "discard",
  "abort",
  "kill",
  "evict",
  "complete",
  "microtasks",
  "settle",
  "clock",
  "set-max",
  "set-limit",
  "set-terms",
  "warm-up",
  "close",
];

/** A random program with the pool and the world it runs in. */
export interface Program {
  readonly pool: {
    readonly sharing: "shared" | "exclusive";
    readonly max: number;
    readonly min: number;
    readonly room: number;
    readonly maxWaiting: number;
    readonly maxUses: number | undefined;
    readonly validateOnAcquire: boolean;
    readonly onRelease: "reuse" | "close" | "reset";
    readonly limit: number;
    /** Whether the pool is looked at after each command, or only now and then: what it puts off until then may drift. */
    readonly isWatched: boolean;
    /** Whether a probe calls the pool back before it returns. */
    readonly callsBack: boolean;
  };
  readonly world: WorldOptions;
  readonly commands: readonly Command[];
}

const index = fc.nat({ max: 7 });
const timeoutMs = fc.option(fc.constantFrom(5, 50, 400), { nil: undefined, freq: 4 });

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("acquire" as const),
      signal: fc.boolean(),
      timeoutMs,
      key: fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined, freq: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("try-acquire" as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("request" as const), signal: fc.boolean(), timeoutMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("lease-request" as const), index }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("release" as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("release-again" as const), index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("discard" as const), index }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("abort" as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill" as const), index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict" as const), index }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("complete" as const),
      index,
      outcome: fc.constantFrom<Outcome>("ok", "ok", "ok", "error"),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("microtasks" as const), count: fc.integer({ min: 1, max: 14 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("clock" as const),
      ms: fc.constantFrom(1, 5, 60, 300, 600, 1_100, 5_000, 11_000, 31_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("set-max" as const), max: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("set-limit" as const),
      limit: fc.constantFrom(1, 2, 3, Infinity, Infinity),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("set-terms" as const),
      maxUses: fc.constantFrom(undefined, undefined, 1, 3),
      acquireMs: fc.constantFrom(300, 100, 250),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("warm-up" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const) }) },
);

/** Programs of 4 to 60 steps, long ones preferred: short ones find almost nothing. */
export const program: fc.Arbitrary<Program> = fc.record({
  pool: fc
    .record({
      sharing: fc.constantFrom("shared" as const, "exclusive" as const),
      max: fc.integer({ min: 1, max: 3 }),
      min: fc.integer({ min: 0, max: 2 }),
      room: fc.integer({ min: 1, max: 3 }),
      maxWaiting: fc.constantFrom(2, 5, 1_000),
      maxUses: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 3 }),
      validateOnAcquire: fc.boolean(),
      onRelease: fc.constantFrom("reuse" as const, "close" as const, "reset" as const),
      limit: fc.constantFrom(1, 2, Infinity, Infinity),
      isWatched: fc.boolean(),
      callsBack: fc.boolean(),
    })
    .map((pool) => ({ ...pool, min: Math.min(pool.min, pool.max) })),
  world: fc.record({
    automatic: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    faults: fc.array(fc.constantFrom<Outcome>("ok", "ok", "ok", "error", "throw"), { maxLength: 10 }),
    honoursAbort: fc.boolean(),
    endsAtClose: fc.boolean(),
    startsRequests: fc.boolean(),
  }),
  commands: fc.array(command, { minLength: 4, maxLength: 60, size: "max" }),
});

/** Where nobody watches, nobody listens to leases and requests either, which then take a shorter way. */
export function watchedTypes({ pool }: Program): readonly PoolEvent["type"][] | undefined {
  return pool.isWatched ? undefined : ["connection-opened", "connection-failed"];
}
