import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * Shows what the number of pools costs besides what their state does: whoever makes a thousand pools leaves a young
 * generation of 16 MB or more behind, which the second-level cache of a processor does not hold, and new objects go
 * through it whatever they belong to.
 * `node src/floors/many-pools.ts`
 */
const CELL = fileURLToPath(new URL("../cell.ts", import.meta.url));
const MODULE = new URL("../scenarios/s-scale.ts", import.meta.url).href;
const ROUNDS = 3;

for (const youngMebibytes of [1, 16]) {
  const sizes = [`--min-semi-space-size=${youngMebibytes}`, `--max-semi-space-size=${youngMebibytes}`];
  for (const pools of ["1", "10", "100", "1000"]) {
    const figures: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const args = ["--expose-gc", ...sizes, CELL, MODULE, "S/pools", pools, "600"];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      figures.push((JSON.parse(stdout) as { readonly figure: number }).figure);
    }
    const [, median = 0] = figures.sort((a, b) => a - b);
    console.log(`young generation of ${youngMebibytes} MB, ${pools} pools: ${median.toFixed(0)} ns per call`);
  }
}
