import { type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { GrandchildOptions, HostProcess } from "./host-process.ts";
import { writeStderrBlocking } from "./write-stderr-blocking.ts";

const GRANDCHILD = `
  const [, temper, lifetimeMs] = process.argv;
  if (temper === "stubborn") process.on("SIGTERM", () => undefined);
  setTimeout(() => process.exit(), Number(lifetimeMs));
  process.send("ready");
`;

/** Lets a server act on the process of a runnable entry; its grandchildren end by themselves after their lifetime. */
export function ownProcess(lifetimeMs: number): HostProcess {
  return {
    kill: (signal) => process.kill(process.pid, signal),
    exit: (code) => process.exit(code),
    exitAfterFlush,
    writeStdout: (text) => process.stdout.write(text),
    closeStdout,
    writeStderr: writeStderrBlocking,
    spawnChild: (options) => spawnChild(options, lifetimeMs),
  };
}

function exitAfterFlush(code: number): void {
  setImmediate(() => process.stdout.write("", () => process.exit(code)));
}

// process.stdout refuses to be closed, and a free descriptor 1 would be given to the next file that is opened.
function closeStdout(): void {
  closeSync(1);
  openSync(devNull, "w");
}

async function spawnChild(options: GrandchildOptions, lifetimeMs: number): Promise<number> {
  const output = options.holdsStdio ? "inherit" : "ignore";
  const stdio: StdioOptions = ["ignore", output, output, "ipc"];
  const temper = options.isStubborn ? "stubborn" : "obedient";
  const child = spawn(process.execPath, ["-e", GRANDCHILD, temper, String(lifetimeMs)], { stdio });
  await new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The grandchild exited with ${code} before it was ready`)));
  });
  child.disconnect();
  child.unref();
  if (child.pid === undefined) throw new Error("The grandchild has no pid");
  return child.pid;
}
