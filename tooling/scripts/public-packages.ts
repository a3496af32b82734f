import { globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** The parts of a manifest that the scripts read. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A package that is published, and its folder relative to the repository's root. */
export interface PublicPackage {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Lists the packages that are published, in the order of their folders' names. */
export function publicPackages(): readonly PublicPackage[] {
  return globSync("packages/*/package.json")
    .sort()
    .map((path) => ({ directory: dirname(path), manifest: JSON.parse(readFileSync(path, "utf8")) as Manifest }))
    .filter(({ manifest }) => manifest.private !== true);
}
