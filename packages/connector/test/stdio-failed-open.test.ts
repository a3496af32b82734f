import { getEventListeners } from "node:events";
import { McpConfigurationError } from "@mcp-pool/core";
import { stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, test } from "vitest";
import { ConnectFailure, type StdioConnectorOptions, stdioConnector } from "../src/stdio/index.ts";
import { connectRequest, eventually, failureOf, SLOW } from "./connecting.ts";
import { activeHandles, processesWith } from "./processes.ts";

const node = process.execPath;
const script = (code: string): StdioConnectorOptions => ({ command: node, args: ["-e", code] });

interface FailedOpen {
  readonly options: StdioConnectorOptions;
  readonly message: RegExp;
  readonly code?: string;
  readonly timeoutMs?: number;
}

const failedOpens: Readonly<Record<string, FailedOpen>> = {
  "a command that does not exist": {
    options: { command: "no-such-command" },
    message: /^command "no-such-command": not found \(ENOENT\)$/,
    code: "ENOENT",
  },
  "a command that may not be run": {
    options: { command: "/etc" },
    message: /^command "\/etc": may not be run \(EACCES\)$/,
    code: "EACCES",
  },
  "a directory that does not exist": {
    options: { command: node, cwd: "/no/such/directory" },
    message: /the working directory "\/no\/such\/directory" does not exist/,
    code: "ENOENT",
  },
  "a server that exits at once": {
    options: stdioTestServer({ TEST_SERVER_EXIT_ON_START: "7" }),
    message: /exited with code 7; stderr ends with: test-server: refuses to start, exits with 7$/,
  },
  "a server that a signal kills": {
    options: script("process.kill(process.pid, 'SIGKILL')"),
    message: /exited by SIGKILL/,
  },
  "a server that writes no message first": {
    options: stdioTestServer({ TEST_SERVER_GARBAGE: "before" }),
    message:
      /before the handshake, the server wrote a line that is no JSON-RPC message: "Starting the server..." to stdout$/,
  },
  "a server that writes a long line first": {
    options: script("console.log('x'.repeat(5000)); setInterval(() => {}, 1000)"),
    message: /x{200}…" to stdout$/,
  },
  "a server that never answers": {
    options: stdioTestServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1" }),
    message: /the handshake took longer than 500 ms$/,
    code: "ETIMEDOUT",
    timeoutMs: 500,
  },
  "a server that never answers and will not go": {
    options: stdioTestServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1", TEST_SERVER_STUBBORN: "1" }),
    message: /the handshake took longer than 500 ms$/,
    timeoutMs: 500,
  },
  "a wrapper that is gone before its server": {
    options: { command: "sh", args: ["-c", "sleep 300 & exit 3"] },
    message: /exited with code 3/,
  },
};

describe("stdioConnector refuses", SLOW, () => {
  test.each([
    ["an empty command", { command: "" }, /command: must be/],
    ["arguments in one string", { command: "a", args: "b c" as never }, /args: must be an array of strings/],
    ["a negative bound", { command: "a", closeTimeouts: { killMs: -1 } }, /killMs: must be/],
    ["a concurrency of nothing", { command: "a", suggestedConcurrency: 0 }, /suggestedConcurrency: must be/],
  ])("%s", (_, options, message) => {
    expect(() => stdioConnector(options)).toThrow(McpConfigurationError);
    expect(() => stdioConnector(options)).toThrow(message);
  });
});

describe("opening fails, and leaves nothing behind, with", SLOW, () => {
  test.each(Object.entries(failedOpens))("%s", async (_, { options, message, code, timeoutMs = 20_000 }) => {
    const before = { handles: activeHandles(), exitListeners: process.listenerCount("exit") };
    const mark = `mark-${crypto.randomUUID()}`;
    const { signal } = new AbortController();
    const connector = stdioConnector({ ...options, env: { ...options.env, MARK: mark } });
    const failure = await failureOf(connector.connect(connectRequest({ signal, timeoutMs })));
    expect(failure).toBeInstanceOf(ConnectFailure);
    expect(failure).toMatchObject({ judgement: "not-sent", ...(code !== undefined && { code }) });
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain("\n");
    expect(failure.cause).toBeInstanceOf(Error);
    expect(processesWith(mark)).toEqual([]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(process.listenerCount("exit")).toBe(before.exitListeners);
    await eventually(activeHandles).toBeLessThanOrEqual(before.handles);
  });

  test("an abort in the middle, with its reason", async () => {
    const mark = `mark-${crypto.randomUUID()}`;
    const { command, args, env } = stdioTestServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1", TEST_SERVER_STUBBORN: "1" });
    const controller = new AbortController();
    const connecting = stdioConnector({ command, args, env: { ...env, MARK: mark } }).connect(
      connectRequest({ signal: controller.signal }),
    );
    const reason = new Error("no longer wanted");
    setTimeout(() => controller.abort(reason), 100);
    await expect(connecting).rejects.toBe(reason);
    expect(processesWith(mark)).toEqual([]);
  });

  test("an abort before the start, without starting anything", async () => {
    const mark = `mark-${crypto.randomUUID()}`;
    const signal = AbortSignal.abort("no");
    const connecting = stdioConnector({ command: node, args: ["-e", mark] }).connect(connectRequest({ signal }));
    await expect(connecting).rejects.toMatchObject({ judgement: "aborted", cause: "no" });
    expect(processesWith(mark)).toEqual([]);
  });

  test("secrets blotted out of what the server wrote", async () => {
    const code = "const { KEY, MODE } = process.env; console.error('key', KEY, 'in', MODE); console.log(KEY)";
    const env = { KEY: "s3cr3t-s3cr3t", MODE: "1" };
    const failure = await failureOf(stdioConnector({ ...script(code), env }).connect(connectRequest()));
    const text = `${failure.message} ${failure.cause}`;
    expect(text).not.toContain("s3cr3t");
    expect(text).toContain("[redacted]");
  });
});
