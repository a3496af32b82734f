import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, test } from "vitest";
import { stdioConnector } from "../src/stdio/index.ts";
import { callForJson, callTool, closed, eventually, failureOf, open, SLOW } from "./connecting.ts";
import { activeHandles, expectGone, processesWith } from "./processes.ts";

/** Longer than a test may take, so that no step but the first can have done it. */
const PATIENT = { stdinEndMs: 120_000 };
const QUICK = { stdinEndMs: 200, terminateMs: 200, killMs: 2_000 };

async function pidOf(connection: Awaited<ReturnType<typeof open>>, tool: string, args = {}): Promise<number> {
  return Number((await callForJson(connection, tool, args)).pid);
}

describe("closing a stdio connection", SLOW, () => {
  test("ends a well-behaved server by the end of its stdin", async () => {
    const connection = await open(stdioConnector({ ...stdioTestServer(), closeTimeouts: PATIENT }));
    const pid = await pidOf(connection, "session-info");
    await connection.close("idle");
    expectGone([pid]);
  });

  test("ends a server that ignores the end of stdin and SIGTERM, and its children", async () => {
    const connector = stdioConnector({ ...stdioTestServer({ TEST_SERVER_STUBBORN: "1" }), closeTimeouts: QUICK });
    const connection = await open(connector);
    const pids = [
      await pidOf(connection, "session-info"),
      await pidOf(connection, "spawn-child", { stubborn: true, holdStdio: true }),
      await pidOf(connection, "spawn-child"),
    ];
    await connection.close("idle");
    expectGone(pids);
  });

  test("ends children that outlive their obedient parent, without waiting long for them", async () => {
    const connection = await open(stdioConnector({ ...stdioTestServer(), closeTimeouts: PATIENT }));
    const pids = [await pidOf(connection, "session-info"), await pidOf(connection, "spawn-child", { holdStdio: true })];
    await connection.close("idle");
    expectGone(pids);
  });

  test("ends a server behind a shell", async () => {
    const { command, args, env } = stdioTestServer();
    const line = [command, ...args].map((word) => `'${word}'`).join(" ");
    const connection = await open(stdioConnector({ command: "sh", args: ["-c", `${line}; exit $?`], env }));
    const pid = await pidOf(connection, "session-info");
    expect(connection.endpoint.processId).not.toBe(pid);
    await connection.close("idle");
    expectGone([pid, connection.endpoint.processId ?? 0]);
  });

  test.runIf(process.platform === "linux")("ends descendants that left the server's group", async () => {
    const { command, args, env } = stdioTestServer();
    const mark = `stray-${process.pid}-${Math.random()}`;
    const line = ["setsid sh -c 'sleep 100000; exit' &", "exec", ...[command, ...args].map((word) => `'${word}'`)];
    const connector = stdioConnector({ command: "sh", args: ["-c", line.join(" ")], env: { ...env, MARK: mark } });
    const connection = await open(connector);
    await eventually(() => processesWith(mark).length).toBe(3);
    await connection.close("idle");
    expect(processesWith(mark)).toEqual([]);
  });

  test("ends a stopped server", async () => {
    const connection = await open(stdioConnector({ ...stdioTestServer(), closeTimeouts: QUICK }));
    const pid = await pidOf(connection, "session-info");
    process.kill(pid, "SIGSTOP");
    await connection.close("idle");
    expectGone([pid]);
  });

  test("happens once, leaves nothing, and is not reported as a loss", async () => {
    const before = activeHandles();
    const connection = await open(stdioConnector(stdioTestServer()));
    const losses: unknown[] = [];
    connection.onClosed((cause) => losses.push(cause));
    const running = failureOf(callTool(connection, "hang"));
    await new Promise(setImmediate);
    const inTheSameTick = failureOf(callTool(connection, "hang"));
    const closing = connection.close("idle");
    expect(connection.close("pool-closed")).toBe(closing);
    expect(await running).toMatchObject({ judgement: "outcome-unknown" });
    expect(await inTheSameTick).toMatchObject({ judgement: "not-sent" });
    expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({ judgement: "not-sent" });
    await closing;
    connection.onClosed((cause) => losses.push(cause));
    await eventually(activeHandles).toBeLessThanOrEqual(before);
    expect(losses).toEqual([]);
  });

  test("shares one listener for each signal among all connections, and leaves none", async () => {
    const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
    const before = signals.map((signal) => process.listenerCount(signal));
    const connections = await Promise.all([1, 2, 3].map(() => open(stdioConnector(stdioTestServer()))));
    expect(signals.map((signal) => process.listenerCount(signal))).toEqual(before.map((count) => count + 1));
    await Promise.all(connections.map((connection) => connection.close("idle")));
    expect(signals.map((signal) => process.listenerCount(signal))).toEqual(before);
  });
});

describe("a stdio connection that ends by itself", SLOW, () => {
  test("fails what is in flight as unknown, what comes after as not sent, and tells why", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    const causes: (Error | undefined)[] = [];
    connection.onClosed((cause) => causes.push(cause));
    const ended = closed(connection);
    const crash = callTool(connection, "crash", { exitCode: 5 });
    const other = callTool(connection, "hang");
    await callTool(connection, "stderr", { lines: 1 }).catch(() => undefined);
    expect(await failureOf(crash)).toMatchObject({ judgement: "outcome-unknown" });
    expect(await failureOf(other)).toMatchObject({ judgement: "outcome-unknown" });
    expect((await ended)?.message).toMatch(/the server process exited with code 5/);
    expect(await failureOf(callTool(connection, "hang"))).toMatchObject({ judgement: "not-sent" });
    expect((await closed(connection))?.message).toMatch(/code 5/);
    expect(causes).toHaveLength(1);
  });

  test("tells of each line on stderr, the early ones included, with secrets blotted out", async () => {
    const connector = stdioConnector({
      ...stdioTestServer(),
      command: "sh",
      args: ["-c", `echo early with $TOKEN >&2; exec "$0" "$@"`, stdioTestServer().command, ...stdioTestServer().args],
      env: { ...stdioTestServer().env, TOKEN: "s3cret-value" },
    });
    const connection = await open(connector);
    const lines: string[] = [];
    connection.onEvent?.((event) => event.type === "stderr-written" && lines.push(...event.lines));
    await callTool(connection, "stderr", { lines: 2 });
    await eventually(() => lines.length).toBe(3);
    expect(lines.map((line) => line.trim().slice(0, 23))).toEqual([
      "early with [redacted]",
      expect.stringContaining("stderr line 1"),
      expect.stringContaining("stderr line 2"),
    ]);
  });

  test("is told of its last words", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    await callTool(connection, "stderr", { lines: 100 });
    const failure = await failureOf(callTool(connection, "crash"));
    expect(failure.message).toMatch(/exited by SIGKILL; stderr ends with: stderr line 96 .* \| stderr line 100 /);
  });

  test("reads the answers that were written before the exit", async () => {
    const connection = await open(stdioConnector(stdioTestServer()));
    await expect(callTool(connection, "exit-after-answer")).resolves.toBeDefined();
  });

  test("takes the rest of its process tree with it", async () => {
    const connection = await open(stdioConnector({ ...stdioTestServer(), closeTimeouts: QUICK }));
    const child = await pidOf(connection, "spawn-child", { stubborn: true, holdStdio: true });
    const ended = closed(connection);
    await failureOf(callTool(connection, "crash"));
    await ended;
    await connection.close("lost");
    expectGone([child]);
  });

  test.each([
    ["closes its stdout", "close-stdout", {}, /closed its stdout/],
    ["sends a line without an end", "garbage", { kind: "flood" }, /a line of more than 1048576 bytes/],
  ])("ends when the server %s", async (_, tool, args, message) => {
    const connector = stdioConnector({ ...stdioTestServer(), maxLineBytes: 1_048_576 });
    const connection = await open(connector);
    const pid = await pidOf(connection, "session-info");
    const failure = await failureOf(callTool(connection, tool, args));
    expect(failure).toMatchObject({ judgement: "outcome-unknown" });
    expect(failure.message).toMatch(message);
    await connection.close("lost");
    expectGone([pid]);
  });
});
