import { setTimeout as delay } from "node:timers/promises";
import { ExecutionLedger } from "../execution-ledger.ts";
import type { ServerEnvironment } from "./server-environment.ts";
import { writeStderrBlocking } from "./write-stderr-blocking.ts";

/** Plays the part of the script that comes before any protocol; tells whether this start is one of the bad ones. */
export async function beginProcess(environment: ServerEnvironment): Promise<{ readonly startsBadly: boolean }> {
  const lifetime = setTimeout(() => process.exit(0), environment.lifetimeMs);
  if (environment.flag("TEST_SERVER_STUBBORN")) ignoreSignals();
  else lifetime.unref();
  const startsBadly = isBadStart(environment);
  const exitCode = environment.count("TEST_SERVER_EXIT_ON_START");
  if (exitCode !== undefined && startsBadly) {
    writeStderrBlocking(`test-server: refuses to start, exits with ${exitCode}\n`);
    process.exit(exitCode);
  }
  await delay(environment.count("TEST_SERVER_START_DELAY_MS") ?? 0);
  const exitAfterMs = environment.count("TEST_SERVER_EXIT_AFTER_MS");
  if (exitAfterMs !== undefined && startsBadly) setTimeout(() => process.exit(1), exitAfterMs).unref();
  return { startsBadly };
}

function ignoreSignals(): void {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
}

function isBadStart(environment: ServerEnvironment): boolean {
  const ledgerPath = environment.text("TEST_SERVER_LEDGER");
  const badStarts = environment.count("TEST_SERVER_BAD_STARTS");
  const earlierStarts = new ExecutionLedger(ledgerPath).processStarted();
  if (badStarts === undefined) return true;
  if (ledgerPath === undefined) throw new Error("TEST_SERVER_BAD_STARTS needs TEST_SERVER_LEDGER to count the starts");
  return earlierStarts < badStarts;
}
