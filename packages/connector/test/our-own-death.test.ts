import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isProcessRunning, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually, SLOW } from "./connecting.ts";

const ENTRY = fileURLToPath(new URL("../src/stdio/index.ts", import.meta.url));

/** Starts a process with a stubborn server and its stubborn child, which then does what it is told. */
async function processWithServers(ending: string, beginning = "") {
  const server = stdioTestServer({ TEST_SERVER_STUBBORN: "1" });
  const code = `
    import { stdioConnector } from ${JSON.stringify(ENTRY)};
    ${beginning}
    const { signal } = new AbortController();
    const request = { serverName: "s", identity: undefined, signal, timeoutMs: 20_000 };
    const connection = await stdioConnector(${JSON.stringify(server)}).connect(request);
    const params = { name: "spawn-child", arguments: { stubborn: true } };
    const { structuredContent } = await connection.request("tools/call", params, { signal });
    console.log(connection.endpoint.processId, structuredContent.pid);
    ${ending}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  const pids = String(line).trim().split(" ").map(Number);
  expect(pids).toHaveLength(2);
  return { child, pids };
}

async function endOf(child: ReturnType<typeof spawn>): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode ?? child.exitCode;
}

describe("when our own process dies, no server is left:", SLOW, () => {
  test.each([
    ["process.exit()", 0],
    ["throw new Error('uncaught')", 1],
    ["Promise.reject(new Error('unhandled'))", 1],
    [
      "process.on('SIGTERM', () => process.exit(7)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1e6)",
      7,
    ],
  ])("by %s", async (ending, how) => {
    const { child, pids } = await processWithServers(ending);
    expect(await endOf(child)).toBe(how);
    await eventually(() => pids.filter(isProcessRunning)).toEqual([]);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const)("by %s", async (signal) => {
    const { child, pids } = await processWithServers("setInterval(() => {}, 1e6)");
    child.kill(signal);
    expect(await endOf(child)).toBe(signal);
    await eventually(() => pids.filter(isProcessRunning)).toEqual([]);
  });

  test.each([
    ["on", "before"],
    ["once", "before"],
    ["on", "after"],
    ["once", "after"],
  ])("and one that handles a signal, with %s() %s its first server, lives on", async (how, when) => {
    const handle = `process.${how}("SIGTERM", () => setTimeout(() => console.log("alive"), 10));`;
    const stay = "setInterval(() => {}, 1e6);";
    const { child, pids } = await processWithServers(
      when === "after" ? handle + stay : stay,
      when === "before" ? handle : "",
    );
    const spoken = once(child.stdout, "data").then(([line]) => String(line).trim());
    child.kill("SIGTERM");
    expect(await Promise.race([spoken, endOf(child)])).toBe("alive");
    expect(pids.every(isProcessRunning)).toBe(true);
    for (const pid of pids) process.kill(pid, "SIGKILL");
  });
});
