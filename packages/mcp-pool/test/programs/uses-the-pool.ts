/**
 * A program that uses the facade and never calls `process.exit`. It is told by its argument, as JSON, which servers there
 * are and what to do, and writes to a file what it has left behind.
 */
import { writeFileSync } from "node:fs";
import { createMcpPool, type McpPoolConfig } from "mcp-pool";

interface Orders {
  readonly config: McpPoolConfig;
  /** `calls` closes after some; `crash` meets the death of its server; `hang` waits in a call for ever. */
  readonly work: "calls" | "crash" | "hang";
  readonly reportPath: string;
}

const { config, work, reportPath }: Orders = JSON.parse(process.argv[2] ?? "");
const manager = await createMcpPool(config);
const outcomes: string[] = [];
const call = (server: string, name: string, args: Record<string, unknown> = {}) =>
  manager.callTool(server, { name, arguments: args }).then(
    () => "ok",
    (error: { code?: string }) => String(error.code),
  );

for (const server of manager.servers()) {
  if (work === "calls") {
    const calls = Array.from({ length: 20 }, () => call(server, "echo", { message: "hi" }));
    const aborted = manager
      .callTool(server, { name: "hang" }, { signal: AbortSignal.timeout(50) })
      .then(String, (error: Error) => error.name);
    outcomes.push(...new Set(await Promise.all(calls)), await aborted);
  }
  if (work === "crash") outcomes.push(await call(server, "crash"), await call(server, "echo", { message: "hi" }));
  if (work === "hang") {
    const hanging = call(server, "hang");
    writeFileSync(reportPath, JSON.stringify({ state: "hanging" }));
    await hanging;
  }
}
await manager.close({ drainTimeoutMs: 0 });
// Node itself frees the handles of an exited process a few turns after it has told of the exit.
for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
writeFileSync(reportPath, JSON.stringify({ state: "closed", outcomes, left: process.getActiveResourcesInfo() }));
