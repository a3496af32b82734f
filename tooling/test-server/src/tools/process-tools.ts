import { setTimeout as delay } from "node:timers/promises";
import type { HostProcess } from "../process/host-process.ts";
import { RpcError } from "../rpc-error.ts";
import { inputs, json, type ScriptedTool, type ToolCall, text } from "./scripted-tool.ts";
import { untilCancelled } from "./waiting-tools.ts";

const GARBAGE_KINDS = ["line", "half-line", "unknown-response", "flood"] as const;
const FLOOD_BYTES = 12 * 1024 * 1024;

const crash: ScriptedTool = {
  definition: {
    name: "crash",
    description: "Ends the process before it answers, by a signal (SIGKILL unless told) or with an exit code.",
    inputSchema: inputs({ signal: { type: "string" }, exitCode: { type: "integer" }, afterMs: { type: "number" } }, [
      "signal",
      "exitCode",
      "afterMs",
    ]),
  },
  run: async (call) => {
    const host = hostProcessOf(call);
    await delay(call.given.number("afterMs", 0));
    if (call.given.has("exitCode")) host.exit(call.given.number("exitCode"));
    else host.kill(call.given.text("signal", "SIGKILL"));
    return untilCancelled(call.extra.signal);
  },
};

const exitAfterAnswer: ScriptedTool = {
  definition: {
    name: "exit-after-answer",
    description: "Answers, then exits.",
    inputSchema: inputs({ exitCode: { type: "integer" } }, ["exitCode"]),
  },
  run: (call) => {
    hostProcessOf(call).exitAfterFlush(call.given.number("exitCode", 0));
    return text("exiting");
  },
};

const garbage: ScriptedTool = {
  definition: {
    name: "garbage",
    description:
      "Writes what is no message on stdout, then answers. A half line swallows the answer; a flood is 12 MiB without a line's end.",
    inputSchema: inputs({ kind: { enum: GARBAGE_KINDS } }, ["kind"]),
  },
  run: (call) => {
    hostProcessOf(call).writeStdout(garbageOf(call.given.oneOf("kind", GARBAGE_KINDS, "line")));
    return text("wrote garbage");
  },
};

const closeStdout: ScriptedTool = {
  definition: {
    name: "close-stdout",
    description: "Closes stdout and lives on; its answer never arrives.",
    inputSchema: inputs({}),
  },
  run: (call) => {
    hostProcessOf(call).closeStdout();
    return text("nobody reads this");
  },
};

const stderr: ScriptedTool = {
  definition: {
    name: "stderr",
    description: "Writes lines of 100 bytes to stderr; blocks the process while nobody reads them.",
    inputSchema: inputs({ lines: { type: "integer" } }),
  },
  run: (call) => {
    const lines = call.given.number("lines");
    const host = hostProcessOf(call);
    for (let line = 1; line <= lines; line += 1) host.writeStderr(`${`stderr line ${line} `.padEnd(99, ".")}\n`);
    return text(`wrote ${lines} lines`);
  },
};

const spawnChild: ScriptedTool = {
  definition: {
    name: "spawn-child",
    description: "Starts a process that sleeps and answers its pid; a stubborn one ignores SIGTERM.",
    inputSchema: inputs({ stubborn: { type: "boolean" }, holdStdio: { type: "boolean" } }, ["stubborn", "holdStdio"]),
  },
  run: async (call) => {
    const options = { isStubborn: call.given.flag("stubborn"), holdsStdio: call.given.flag("holdStdio") };
    return json({ pid: await hostProcessOf(call).spawnChild(options) });
  },
};

/** Tools that act on the server's own process. */
export const processTools: readonly ScriptedTool[] = [crash, exitAfterAnswer, garbage, closeStdout, stderr, spawnChild];

/** Gives the process a call may act on; inside a test's own process there is none. */
export function hostProcessOf(call: ToolCall): HostProcess {
  const host = call.session.backend.hostProcess;
  if (host !== undefined) return host;
  throw new RpcError(-32_000, "This tool needs a server in a process of its own; this one runs inside the test.");
}

/** Makes what is no message on stdout. */
export function garbageOf(kind: (typeof GARBAGE_KINDS)[number]): string {
  switch (kind) {
    case "line":
      return "this is not JSON\n";
    case "half-line":
      return '{"jsonrpc":"2.0","id":';
    case "unknown-response":
      return '{"jsonrpc":"2.0","id":987654321,"result":{}}\n';
    case "flood":
      return "x".repeat(FLOOD_BYTES);
  }
}
