import fc from "fast-check";
import { Coverage } from "./invariants.ts";
import { COMMANDS, type Program, program } from "./program.ts";
import { ProgramRun } from "./run-program.ts";

/** Runs random programs. A failure ends in an error that holds the shortest failing program as a test to copy. */
export async function checkModel(numRuns: number, seed: number): Promise<Coverage> {
  const coverage = new Coverage();
  const property = fc.asyncProperty(program, (each) => new ProgramRun(each, coverage).run());
  const result = await fc.check(property, { numRuns, seed });
  if (result.failed) {
    const [failing] = result.counterexample ?? [];
    const cause = result.errorInstance;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const where = `seed ${seed}, run ${result.numRuns}, ${result.numShrinks} times shrunk`;
    throw new Error(`${reason} (${where})\n\n${failing === undefined ? "" : asTest(failing, reason)}`, { cause });
  }
  const missing = coverage.missing(COMMANDS);
  if (missing.length > 0) throw new Error(`the programs never reached: ${missing.join(", ")}`);
  return coverage;
}

function asTest(failing: Program, reason: string): string {
  const lines = failing.commands.map((command) => `      ${fc.stringify(command)},`);
  return [
    `test(${JSON.stringify(reason)}, async () => {`,
    "  const program: Program = {",
    `    pool: ${fc.stringify(failing.pool)},`,
    `    world: ${fc.stringify(failing.world)},`,
    "    commands: [",
    ...lines,
    "    ],",
    "  };",
    "  await new ProgramRun(program, new Coverage()).run();",
    "});",
  ].join("\n");
}
