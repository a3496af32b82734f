import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

/** Bundles every entry of our packages without anything that is not ours, minifies, and returns the bytes after gzip. */
export async function bundledSize(packages: readonly string[]): Promise<number> {
  const sizes = await Promise.all(packages.map(sizeOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function sizeOf(name: string): Promise<number> {
  const folder = new URL(`../../../packages/${name}/`, import.meta.url);
  const { exports } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as Manifest;
  const entries = Object.entries(exports).flatMap(([path, target]) => {
    // Kits for tests are not part of what runs.
    const isCode = typeof target === "object" && !/testing|mock/.test(path);
    return isCode ? [fileURLToPath(new URL(target.default, folder))] : [];
  });
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((entry, index) => [`entry-${index}`, entry])),
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    platform: "node",
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return gzipSync(output.map((each) => (each.type === "chunk" ? each.code : "")).join("\n"), { level: 9 }).length;
}
