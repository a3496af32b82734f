import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type InputOptions, rolldown } from "rolldown";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

/** The folders of our packages. */
export const PACKAGES: readonly string[] = [
  "core",
  "connector",
  "breaker",
  "health",
  "metrics-otel",
  "config",
  "agent-adapter",
  "mcp-pool",
];

/** Bundles every entry of our packages without anything that is not ours, minifies, and returns the bytes after gzip. */
export async function bundledSize(packages: readonly string[]): Promise<number> {
  const sizes = await Promise.all(packages.map((name) => gzippedSize({ input: entriesOf(name) })));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Does what {@link bundledSize} does, for a program that imports one name of a package and nothing else. */
export function bundledSizeOf(packageName: string, name: string): Promise<number> {
  const entry = packageFile(packageName, "dist/index.js");
  const program = "\0program";
  return gzippedSize({
    input: program,
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === program ? id : undefined),
        load: (id) => (id === program ? `export { ${name} } from ${JSON.stringify(entry)};` : undefined),
      },
    ],
  });
}

/** Bundles, minifies, and returns the bytes of all chunks after gzip. Other packages stay outside. */
export async function gzippedSize(options: InputOptions): Promise<number> {
  const bundle = await rolldown({
    ...options,
    external: (id) => !id.startsWith(".") && !id.startsWith("/") && !id.startsWith("\0"),
    platform: "node",
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return gzipSync(output.map((each) => (each.type === "chunk" ? each.code : "")).join("\n"), { level: 9 }).length;
}

/** Returns the path of a file of one of our packages. */
export function packageFile(packageName: string, path: string): string {
  return fileURLToPath(new URL(`../../../packages/${packageName}/${path}`, import.meta.url));
}

/** Lists what users load; kits for tests are not part of what runs. */
function entriesOf(name: string): Readonly<Record<string, string>> {
  const { exports } = JSON.parse(readFileSync(packageFile(name, "package.json"), "utf8")) as Manifest;
  const entries = Object.entries(exports).flatMap(([path, target]) => {
    const isCode = typeof target === "object" && !/testing|mock/.test(path);
    return isCode ? [packageFile(name, target.default)] : [];
  });
  return Object.fromEntries(entries.map((entry, index) => [`entry-${index}`, entry]));
}
