import { globSync } from "node:fs";
import { basename, dirname } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "src/**/*.test.ts"],
    projects: globSync("{packages,apps,examples,tooling}/*/package.json").map((manifest) => ({
      extends: true,
      test: { name: basename(dirname(manifest)), root: dirname(manifest) },
    })),
  },
});
