import { Demo } from "./demo.ts";
import { Screen } from "./screen.ts";

/** How long after the end something may still keep this process alive before that is reported as a leak. */
const END_TIMEOUT_MS = 5_000;

const screen = new Screen();
const interruption = new AbortController();
const interrupt = (signal: NodeJS.Signals) => interruption.abort(new Error(`interrupted by ${signal}`));
process.once("SIGINT", interrupt).once("SIGTERM", interrupt);

const startedAt = performance.now();
try {
  const isGood = await new Demo(screen, interruption.signal).run();
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  const { green, red } = screen.colors;
  screen.say(isGood ? green(`\nAll is well, after ${seconds} s.`) : red(`\nSomething went wrong, after ${seconds} s.`));
  process.exitCode = isGood ? 0 : 1;
} catch (error) {
  console.error(error === interruption.signal.reason ? `\nThe demo was ${interruption.signal.reason.message}.` : error);
  process.exitCode = 1;
}

// No process.exit(): if nothing of the pool is left, nothing keeps this process alive.
process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
setTimeout(() => {
  console.error(`Something keeps this process alive: ${process.getActiveResourcesInfo().join(", ")}`);
  process.exitCode = 1;
}, END_TIMEOUT_MS).unref();
