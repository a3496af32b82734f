import type { MakePlainPool } from "./plain-pool.ts";

/** Makes a pool of Effect, whose callers are fibers of its own rather than promises. */
export function effectPool(): MakePlainPool {
  return async (size) => {
    const { Effect, Exit, Pool, Scope } = await import("effect");
    const scope = Effect.runSync(Scope.make());
    const make = Pool.make({ acquire: Effect.sync(() => ({})), size });
    const pool = await Effect.runPromise(Scope.provide(make, scope));
    const settled = Promise.resolve();
    const use = Pool.use(pool, () => Effect.void);
    const hold = Pool.use(pool, () => Effect.promise(() => settled));
    const unsupported = () => Promise.reject(new Error("an Effect pool lends to fibers"));
    return {
      acquire: unsupported,
      release: () => {},
      close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
      cycle: async (workers, operations, isHeld) => {
        const each = isHeld ? hold : use;
        const work = Effect.gen(function* () {
          for (let operation = 0; operation < operations / workers; operation++) yield* each;
        });
        const all = Effect.all(
          Array.from({ length: workers }, () => work),
          { concurrency: "unbounded", discard: true },
        );
        await Effect.runPromise(all);
      },
    };
  };
}
