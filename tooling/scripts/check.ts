import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publicPackages } from "./public-packages.ts";

/** One check: its name and the shell commands that must all succeed. */
interface Check {
  readonly name: string;
  readonly commands: readonly string[];
}

/** Runs every check, goes on after a failure, shows the output of what failed. The packages must be built. */
const tarballs = mkdtempSync(join(tmpdir(), "mcp-pool-check-"));
const checks: readonly Check[] = [
  {
    name: "types of the packages",
    commands: ["node tooling/scripts/turbo.ts run typecheck --output-logs=errors-only"],
  },
  { name: "types of the scripts", commands: ["tsc -p tsconfig.json"] },
  { name: "lint and format", commands: ["biome ci --colors=off --error-on-warnings ."] },
  { name: "boundaries", commands: ["node tooling/scripts/turbo.ts boundaries"] },
  { name: "unused code", commands: ["knip"] },
  ...publicPackages().map(({ directory, manifest }) => {
    const tarball = join(tarballs, `${manifest.name.replace("/", "-")}.tgz`);
    return {
      name: `shape of ${manifest.name}`,
      commands: [
        `pnpm --dir ${directory} pack --out ${tarball}`,
        `publint run --strict ${tarball}`,
        `attw --profile esm-only ${tarball}`,
      ],
    };
  }),
  { name: "size", commands: ["size-limit --config size-limit.config.ts"] },
];

const failed: string[] = [];
try {
  for (const { name, commands } of checks) {
    const startedAt = performance.now();
    const passes = commands.every(succeeds);
    if (!passes) failed.push(name);
    console.log(`${passes ? "✔" : "✘"} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  }
} finally {
  rmSync(tarballs, { recursive: true, force: true });
}
console.log(`\n${checks.length - failed.length} of ${checks.length} checks passed`);
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

function succeeds(command: string): boolean {
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: "utf8", maxBuffer: Infinity });
  if (status !== 0) console.error(`\n$ ${command}\n${stdout}${stderr}`);
  return status === 0;
}
