import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

/** What is compared, and a module of each that can be imported. */
const PACKAGES: Readonly<Record<string, string>> = {
  tarn: "tarn",
  "generic-pool": "generic-pool",
  "lightning-pool": "lightning-pool",
  effect: "effect",
  "@modelcontextprotocol/sdk": "@modelcontextprotocol/sdk/client/index.js",
  "@modelcontextprotocol/client": "@modelcontextprotocol/client",
};

/** What figures depend on. */
export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  /** Processes that wanted to run in the last minute before the start; 0 on Windows, which does not say. */
  readonly loadAverage: number;
  /** Whether others leave too little of the machine for figures that mean something. */
  readonly isBusy: boolean;
  readonly packages: Readonly<Record<string, string>>;
}

/** Reads the versions and the machine. */
export function environment(): Environment {
  const processors = cpus();
  const [loadAverage = 0] = loadavg();
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    loadAverage,
    isBusy: loadAverage > processors.length / 2,
    packages: Object.fromEntries(Object.keys(PACKAGES).map((name) => [name, versionOf(name)])),
  };
}

/** Some packages do not export their `package.json`, so it is looked for above the file that is imported. */
function versionOf(name: string): string {
  const entry = import.meta.resolve(PACKAGES[name] ?? name);
  const end = entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length;
  const manifest = JSON.parse(readFileSync(new URL("package.json", entry.slice(0, end)), "utf8")) as {
    readonly version: string;
  };
  return manifest.version;
}
