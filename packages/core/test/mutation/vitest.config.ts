import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests that run many cases each, which would run again for every mutant. */
const LONG = ["model", "capacity-model", "fault-product", "manager-under-load", "memory"];

/** The tests that judge mutants: all of core's but the long ones. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts", "src/*.test.ts"],
    exclude: LONG.map((name) => `test/${name}.test.ts`),
    isolate: false,
  },
});

export default config;
