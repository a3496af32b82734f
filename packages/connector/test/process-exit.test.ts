import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { SLOW } from "./connecting.ts";

const entry = fileURLToPath(new URL("../src/index.ts", import.meta.url));

/** Libuv closes the handle of an exited process one turn later. */
const LAST_LINE = `
  await new Promise((resolve) => setTimeout(resolve, 10));
  console.log(process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|Process/.test(name)).join());`;

/** Runs a module in a process of its own; resolves with how it ended, what was left at its last line, and how long it stayed after that. */
async function run(
  code: string,
): Promise<{ readonly exitCode: unknown; readonly stderr: string; readonly left: string; readonly stayedMs: number }> {
  const prelude = `
    import { httpConnector, stdioConnector } from ${JSON.stringify(entry)};
    const request = (timeoutMs = 20_000) => ({ serverName: "s", identity: undefined, signal: new AbortController().signal, timeoutMs });
    const call = (connection, name, args) =>
      connection.request("tools/call", { name, arguments: args }, { signal: new AbortController().signal });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${prelude}\n${code}\n${LAST_LINE}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const lastLine = once(child.stdout, "data").then(([line]) => ({ left: String(line).trim(), at: performance.now() }));
  const [exitCode] = await once(child, "close");
  const { left, at } = await lastLine;
  return { exitCode, stderr, left, stayedMs: performance.now() - at };
}

describe("a process exits by itself", SLOW, () => {
  test("once its connections are closed", async () => {
    const server = await startHttpTestServer();
    onTestFinished(() => server.close());
    const result = await run(`
      const options = [{ url: ${JSON.stringify(server.url)} }, { url: ${JSON.stringify(server.sseUrl)}, transport: "sse" }];
      const connectors = [...options.map(httpConnector), stdioConnector(${JSON.stringify(stdioTestServer())})];
      const connections = await Promise.all(connectors.map((connector) => connector.connect(request())));
      for (const connection of connections) {
        await call(connection, "echo", { message: "" });
        call(connection, "hang", {}).catch(() => {});
      }
      await Promise.all(connections.map((connection) => connection.close("idle")));`);
    expect(result).toMatchObject({ exitCode: 0, stderr: "", left: "" });
    expect(result.stayedMs).toBeLessThan(3_000);
  });

  test("once a connection with broken streams is closed", async () => {
    const server = await startHttpTestServer({ resumable: true });
    onTestFinished(() => server.close());
    const result = await run(`
      const reconnection = { initialReconnectionDelay: 120_000, maxReconnectionDelay: 120_000 };
      const connection = await httpConnector({ url: ${JSON.stringify(server.url)}, reconnection }).connect(request());
      for (let calls = 0; calls < 3; calls += 1) void call(connection, "hang", {}).catch(() => {});
      const control = (name) => fetch(new URL("/control/" + name, ${JSON.stringify(server.url)}), { method: "POST" });
      const open = async () => (await (await control("stats")).json()).responses;
      while ((await open()).requests < 3) await new Promise(setImmediate);
      await control("drop-streams");
      while ((await open()).requests > 0) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await connection.close("idle");`);
    expect(result).toMatchObject({ exitCode: 0, stderr: "", left: "" });
    expect(result.stayedMs).toBeLessThan(10_000);
  });

  test("after openings that failed", async () => {
    const server = await startHttpTestServer({ hangOnInitialize: true });
    onTestFinished(() => server.close());
    const hanging = stdioTestServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1" });
    const exiting = stdioTestServer({ TEST_SERVER_EXIT_ON_START: "1" });
    const result = await run(`
      const connectors = [
        stdioConnector({ command: "no-such-command" }),
        stdioConnector(${JSON.stringify(hanging)}),
        stdioConnector(${JSON.stringify(exiting)}),
        httpConnector({ url: ${JSON.stringify(server.url)} }),
        httpConnector({ url: ${JSON.stringify(server.sseUrl)} }),
        httpConnector({ url: "http://127.0.0.1:9/mcp" }),
        httpConnector({ url: "http://192.0.2.1/mcp" }),
      ];
      const results = await Promise.allSettled(connectors.map((connector) => connector.connect(request(500))));
      if (results.some(({ status }) => status === "fulfilled")) process.exitCode = 1;`);
    expect(result).toMatchObject({ exitCode: 0, stderr: "", left: "" });
    expect(result.stayedMs).toBeLessThan(3_000);
  });
});
