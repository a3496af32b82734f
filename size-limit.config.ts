import { builtinModules } from "node:module";
import { join } from "node:path";
import type { Check, SizeLimitConfig } from "size-limit";
import { type PublicPackage, publicPackages } from "./tooling/scripts/public-packages.ts";

const packages = publicPackages();
const ours = packages.map(({ manifest }) => manifest.name);
const thirdParty = packages
  .flatMap(({ manifest }) => Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
  .filter((name) => !ours.includes(name));

/** Hold the line at today's sizes; docs/decisions/0009-size-limits.md says where they should go. */
const config: SizeLimitConfig = [
  { name: "@mcp-pool/core", path: "packages/core/dist/index.js", limit: "38 kB", ...without(thirdParty) },
  {
    name: "@mcp-pool/config",
    path: "packages/config/dist/index.js",
    limit: "16 kB",
    ...without([...thirdParty, ...ours]),
  },
  {
    name: "@mcp-pool/agent-adapter, every framework",
    path: packages.filter(({ manifest }) => manifest.name === "@mcp-pool/agent-adapter").flatMap(entries),
    limit: "10 kB",
    ...without([...thirdParty, ...ours]),
  },
  {
    name: "mcp-pool, its own code",
    path: "packages/mcp-pool/dist/index.js",
    limit: "4.5 kB",
    ...without([...thirdParty, ...ours]),
  },
  { name: "all packages together", path: packages.flatMap(entries), limit: "122.5 kB", ...without(thirdParty) },
];

export default config;

/** Lists what users load at run time: every exported module but the test kit. */
function entries({ directory, manifest }: PublicPackage): string[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) =>
    typeof target === "string" || subpath === "./testing" ? [] : [join(directory, target.default)],
  );
}

/** Measures minified and gzipped code, without the named packages and Node's own modules. */
function without(external: readonly string[]): Pick<Check, "gzip" | "ignore"> {
  return { gzip: true, ignore: [...external, ...builtinModules.map((name) => `node:${name}`)] };
}
