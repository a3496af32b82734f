import { defineConfig } from "vitest/config";

/** The tests that judge mutants: all of core's but the long random ones, since each mutant runs them again. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "src/*.test.ts"],
    exclude: ["model", "capacity-model", "fault-product", "manager-under-load"].map((name) => `test/${name}.test.ts`),
    isolate: false,
  },
});
