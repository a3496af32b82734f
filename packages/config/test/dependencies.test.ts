import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const OWN = fileURLToPath(new URL("..", import.meta.url));

/** Finds the folder of an installed package, seen from another package's. */
function folderOf(name: string, from: string): string {
  for (let at = from; at !== dirname(at); at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return realpathSync(folder);
  }
  throw new Error(`${name} is not installed`);
}

/** Everything that comes with a package, by name, with the bytes that it takes; dependencies of its own included. */
function installed(folder: string, found: Map<string, number> = new Map()): Map<string, number> {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const name of Object.keys(dependencies)) {
    if (found.has(name)) continue;
    const own = folderOf(name, folder);
    found.set(name, name.startsWith("@mcp-pool/") ? 0 : bytesOf(own));
    installed(own, found);
  }
  return found;
}

function bytesOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return files.reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0);
}

it("installed alone, the package brings zod and yaml, and nothing else of weight", () => {
  const { zod, yaml, "@mcp-pool/core": _core, ...rest } = Object.fromEntries(installed(OWN));
  expect(zod).toBeGreaterThan(0);
  expect(yaml).toBeGreaterThan(0);
  expect(Object.keys(rest).sort()).toEqual(["chokidar", "fastest-levenshtein", "jsonc-parser", "readdirp"]);
  const bytes = Object.values(rest).reduce((sum, each) => sum + each, 0);
  expect(bytes).toBeLessThan(500_000);
});
