import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { expect, test, vi } from "vitest";
import { isProcessRunning, readLedger, stdioTestServer } from "../src/index.ts";
import { callForText, connect, connectStdio, temporaryFile } from "./connect-client.ts";

test("a process keeps its state and says which process it is", async () => {
  const { client, transport } = await connectStdio({ TEST_SERVER_VERSION: "2.5.0", COLOUR: "red" });
  expect(client.getServerVersion()).toEqual({ name: "test-server", version: "2.5.0" });
  await callForText(client, "set", { key: "a", value: "1" });
  expect(await callForText(client, "get", { key: "a" })).toBe("1");
  const info = await client.callTool({
    name: "session-info",
    arguments: { variables: ["COLOUR"] },
    _meta: { trace: "t" },
  });
  expect(info).toMatchObject({
    structuredContent: {
      pid: transport.pid,
      requestsSeen: 4,
      variables: { COLOUR: "red" },
      meta: { trace: "t" },
      clientInfo: { name: "test" },
    },
  });
});

test("a closed client leaves no process behind", async () => {
  const { client, transport } = await connectStdio();
  const pid = transport.pid ?? 0;
  expect(isProcessRunning(pid)).toBe(true);
  await client.close();
  expect(isProcessRunning(pid)).toBe(false);
});

test("a crash ends the calls under way, and the ledger survives it", async () => {
  const ledgerPath = temporaryFile();
  const env = { TEST_SERVER_LEDGER: ledgerPath };
  const given = { key: "payment", misbehave: "crash", misbehaveTimes: 1 };
  const first = await connectStdio(env);
  const closed = vi.fn();
  first.client.onclose = closed;
  await expect(callForText(first.client, "count", given)).rejects.toThrow("Connection closed");
  expect(closed).toHaveBeenCalledTimes(1);
  const second = await connectStdio(env);
  expect(await callForText(second.client, "count", given)).toBe("2");
  const ledger = readLedger(ledgerPath);
  expect(ledger.counts.payment).toMatchObject({ started: 2, ended: 1 });
  expect(ledger.counts.payment?.pids).toEqual(ledger.processes);
  expect(ledger.processes).toHaveLength(2);
});

test("a process that exits after its answer has answered", async () => {
  const { client } = await connectStdio();
  const closed = new Promise<void>((resolve) => {
    client.onclose = resolve;
  });
  expect(await callForText(client, "exit-after-answer")).toBe("exiting");
  await closed;
});

test("a garbage line is reported and skipped, and half a line swallows the answer", async () => {
  const { client } = await connectStdio();
  const errors = vi.fn();
  client.onerror = errors;
  expect(await callForText(client, "garbage")).toBe("wrote garbage");
  expect(errors).toHaveBeenCalledTimes(1);
  const swallowed = client.callTool({ name: "garbage", arguments: { kind: "half-line" } }, undefined, { timeout: 200 });
  await expect(swallowed).rejects.toThrow("Request timed out");
  expect(await callForText(client, "echo", { message: "still here" })).toBe("still here");
});

test("a process without stdout lives on and answers nothing", async () => {
  const { client, transport } = await connectStdio();
  const pid = transport.pid ?? 0;
  const lost = client.callTool({ name: "close-stdout" }, undefined, { timeout: 200 });
  await expect(lost).rejects.toThrow("Request timed out");
  expect(isProcessRunning(pid)).toBe(true);
});

test("a busy process answers no ping until it is done", async () => {
  const { client } = await connectStdio();
  const busy = callForText(client, "busy", { ms: 400 });
  await expect(client.ping({ timeout: 50 })).rejects.toThrow("Request timed out");
  await busy;
  await client.ping({ timeout: 5000 });
});

test("a process whose stderr nobody reads is stuck until somebody does", async () => {
  const transport = new StdioClientTransport({ ...stdioTestServer(), stderr: "pipe" });
  const { client } = await connect(transport);
  const flooding = callForText(client, "stderr", { lines: 20_000 });
  await expect(client.ping({ timeout: 200 })).rejects.toThrow("Request timed out");
  transport.stderr?.on("data", () => undefined);
  expect(await flooding).toBe("wrote 20000 lines");
});

test("a stubborn grandchild outlives its parent until it is killed", async () => {
  const { client } = await connectStdio();
  const { structuredContent } = await client.callTool({ name: "spawn-child", arguments: { stubborn: true } });
  const pid = (structuredContent as { pid: number }).pid;
  await client.close();
  process.kill(pid, "SIGTERM");
  expect(isProcessRunning(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
  await expect.poll(() => isProcessRunning(pid)).toBe(false);
});
