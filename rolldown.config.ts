import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

/** The package in whose folder rolldown runs. */
const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;

/** Bundles each public entry of a package into one file, and what entries share into chunks; all dependencies stay outside. */
export default defineConfig({
  input: Object.fromEntries(
    Object.values(exports).flatMap((target) => (typeof target === "string" ? [] : [entry(target)])),
  ),
  external: (id) => !id.startsWith(".") && !id.startsWith("/"),
  platform: "node",
  transform: { target: "node22" },
  output: {
    dir: "dist",
    cleanDir: true,
    chunkFileNames: "chunks/[name].js",
    // Errors and classes are known by their names, also where two files use one name.
    keepNames: true,
    sourcemap: true,
    // The sources are published beside the bundle.
    sourcemapExcludeSources: true,
  },
});

/** Finds the source of what a subpath gives out. */
function entry(target: { readonly default: string }): readonly [name: string, source: string] {
  const name = target.default.replace(/^\.\/dist\/|\.js$/g, "");
  return [name, `src/${name}.ts`];
}
