import { defineConfig } from "vitest/config";

/** The tests that judge mutants: all of core's but the long random ones, since each mutant runs them again. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "src/*.test.ts"],
    exclude: ["test/model.test.ts", "test/capacity-model.test.ts"],
    isolate: false,
  },
});
