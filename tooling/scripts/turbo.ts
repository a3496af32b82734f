import { spawnSync } from "node:child_process";

/** Runs turbo with telemetry off, whatever the shell: `node tooling/scripts/turbo.ts run build`. */
const { status } = spawnSync("turbo", process.argv.slice(2), {
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  shell: process.platform === "win32",
  stdio: "inherit",
});
process.exitCode = status ?? 1;
