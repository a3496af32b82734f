import { existsSync } from "node:fs";
import { expect, it } from "vitest";

it.each([
  "package.json",
  "pnpm-workspace.yaml",
  "turbo.json",
  "packages",
  "apps",
  ".changeset",
  "tsconfig.base.json",
  "README.md",
])("the repository has %s at its top", (entry) => {
  expect(existsSync(new URL(`../../../${entry}`, import.meta.url))).toBe(true);
});
