import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type StdioConnectorOptions, stdioConnector } from "../src/stdio/index.ts";
import { callTool, connectRequest, failureOf, open, SLOW } from "./connecting.ts";

/** A server that makes the handshake, and runs a piece of code at each call of a tool. */
function oddServer(onCall: string, onInitialize = ""): StdioConnectorOptions {
  const code = `
    const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
    let rest = "";
    process.stdin.on("data", (chunk) => {
      const lines = (rest + chunk).split("\\n");
      rest = lines.pop();
      for (const { id, method, params } of lines.map((line) => JSON.parse(line))) {
        const version = params?.protocolVersion;
        if (method === "initialize") {
          ${onInitialize}
          say({ id, result: { protocolVersion: version, capabilities: {}, serverInfo: { name: "odd", version: "1" } } });
        } else if (method === "tools/call") { ${onCall} }
      }
    });
    process.stdin.on("end", () => process.exit());`;
  return { command: process.execPath, args: ["-e", code] };
}

const QUICK = { closeTimeouts: { stdinEndMs: 100, terminateMs: 100 } };

interface Row {
  readonly onCall: string;
  readonly judgement: string;
  /** What a call after it is judged as, or that it is answered. */
  readonly next: string;
  /** Nothing can be known before the caller's time is up. */
  readonly isSilent?: boolean;
}

const LOST = { judgement: "outcome-unknown", next: "not-sent" } as const;
const SILENT = { judgement: "aborted", next: "aborted", isSilent: true } as const;

const rows: Readonly<Record<string, Row>> = {
  "an exit with 0": { onCall: "process.exit(0)", ...LOST },
  "an exit with 3": { onCall: "process.exit(3)", ...LOST },
  "an exception that nobody catches": { onCall: "throw new Error('bug')", ...LOST },
  ...Object.fromEntries(
    ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGHUP"].map((signal) => [
      signal,
      { onCall: `process.kill(process.pid, "${signal}")`, ...LOST },
    ]),
  ),
  "the end of stdout": { onCall: "require('node:fs').closeSync(1)", ...LOST },
  "half an answer, and then the end": {
    onCall: "process.stdout.write('{\"jsonrpc\":', () => process.exit(0))",
    ...LOST,
  },
  "an error of the server": {
    onCall: "say({ id, error: { code: -32000, message: 'Connection closed' } })",
    judgement: "answered",
    next: "answered",
  },
  "an error with the code of the SDK's own time-outs": {
    onCall: "say({ id, error: { code: -32001, message: 'Request timed out' } })",
    judgement: "answered",
    next: "answered",
  },
  "silence of a stopped process": { onCall: "process.kill(process.pid, 'SIGSTOP')", ...SILENT },
  "the answer to another request": { onCall: "say({ id: 7, result: {} })", ...SILENT },
  "an answer with neither a result nor an error": { onCall: "say({ id })", ...SILENT },
  "an error that is none": { onCall: "say({ id, error: 'no' })", ...SILENT },
  "a line that is no JSON": { onCall: "console.log('thinking ...')", ...SILENT },
};

describe("over stdio, a request is judged that meets", SLOW, () => {
  test.each(Object.entries(rows))("%s", async (_, { onCall, judgement, next, isSilent }) => {
    const connection = await open(stdioConnector({ ...oddServer(onCall), ...QUICK }));
    const signal = () => AbortSignal.timeout(isSilent ? 200 : 20_000);
    expect(await failureOf(callTool(connection, "x", {}, signal()))).toMatchObject({
      name: "RequestFailure",
      judgement,
    });
    expect((await failureOf(callTool(connection, "x", {}, signal()))).judgement).toBe(next);
  });

  test("a process that reads no more: what was written alone has not arrived", async () => {
    const server = oddServer(
      "process.stdin.pause(); require('node:fs').closeSync(0); setTimeout(() => {}, 60_000); say({ id, result: {} })",
    );
    const connection = await open(stdioConnector({ ...server, ...QUICK }));
    await callTool(connection, "x");
    const judgements = new Set<string>();
    // The first writes may still reach the pipe before its other end is closed.
    for (let call = 0; call < 50 && !judgements.has("not-sent"); call++) {
      judgements.add((await failureOf(callTool(connection, "x", {}, AbortSignal.timeout(100)))).judgement);
    }
    expect(judgements).toContain("not-sent");
  });

  test("a process that reads no more: of what was written together, nothing has arrived", async () => {
    const server = oddServer(
      "process.stdin.pause(); require('node:fs').closeSync(0); setTimeout(() => {}, 60_000); say({ id, result: {} })",
    );
    const connection = await open(stdioConnector({ ...server, ...QUICK }));
    await callTool(connection, "x");
    let judgements = new Set<string>();
    for (let burst = 0; burst < 50 && !judgements.has("not-sent"); burst++) {
      const calls = [1, 2, 3].map(() => failureOf(callTool(connection, "x", {}, AbortSignal.timeout(100))));
      judgements = new Set((await Promise.all(calls)).map(({ judgement }) => judgement));
    }
    expect([...judgements]).toEqual(["not-sent"]);
  });

  test("its caller's abort in the very tick in which it was made: it is not sent", async () => {
    const server = oddServer("globalThis.calls = (globalThis.calls ?? 0) + 1; say({ id, result: { calls } })");
    const connection = await open(stdioConnector({ ...server, ...QUICK }));
    const controller = new AbortController();
    const gone = failureOf(callTool(connection, "x", {}, controller.signal));
    const kept = callTool(connection, "x");
    controller.abort();
    expect(await gone).toMatchObject({ judgement: "aborted", lateAnswer: undefined });
    expect(await kept).toEqual({ calls: 1 });
  });

  test("a death with much still to be written: nobody knows how much of it arrived", async () => {
    const connection = await open(stdioConnector({ ...oddServer("process.exit(0)"), ...QUICK }));
    const padding = "x".repeat(1_000_000);
    const calls = await Promise.all(
      Array.from({ length: 10 }, () => failureOf(callTool(connection, "x", { padding }))),
    );
    expect(calls[0]?.judgement).toBe("outcome-unknown");
    for (const { judgement } of calls) expect(["outcome-unknown", "not-sent"]).toContain(judgement);
  });
});

const script = join(tmpdir(), `no-program-${crypto.randomUUID()}`);
writeFileSync(script, "", { mode: 0o644 });
afterAll(() => rmSync(script));

describe("starting a server over stdio is judged as not sent when", SLOW, () => {
  test.each<[string, StdioConnectorOptions, RegExp]>([
    ["the program is missing", { command: "/no/such/program" }, /ENOENT/],
    ["the file may not be run", { command: script }, /EACCES/],
    ["the working directory is a file", { command: process.execPath, cwd: script }, /ENOTDIR/],
    ["the arguments are too long", { command: process.execPath, args: ["x".repeat(5_000_000)] }, /E2BIG/],
    ["an argument holds a NUL", { command: process.execPath, args: ["a\0b"] }, /null bytes/],
    [
      "the server refuses the handshake",
      oddServer("", "say({ id, error: { code: -32602, message: 'too old' } }); continue;"),
      /too old/,
    ],
    [
      "the server speaks an unknown version",
      oddServer(
        "",
        "say({ id, result: { protocolVersion: '1999-01-01', capabilities: {}, serverInfo: { name: 'x', version: '1' } } }); continue;",
      ),
      /1999-01-01/,
    ],
    [
      "the server describes itself wrongly",
      oddServer("", "say({ id, result: { capabilities: 7 } }); continue;"),
      /"capabilities"/,
    ],
  ])("%s", async (_, options, message) => {
    const failure = await failureOf(stdioConnector({ ...options, ...QUICK }).connect(connectRequest()));
    expect(failure).toMatchObject({ name: "ConnectFailure", judgement: "not-sent" });
    expect(failure.message).toMatch(message);
    expect(failure.message).not.toContain("\n");
  });

  test.each([
    [
      "with the SDK in memory",
      `await import(${JSON.stringify(new URL("../src/v1/server-sdk.ts", import.meta.url).href)});`,
    ],
    ["before the SDK was loaded", ""],
  ])("this process may open no more files, %s", (_when, preload) => {
    const entry = new URL("../src/stdio/index.ts", import.meta.url).href;
    const code = `
      const { openSync, writeSync } = await import("node:fs");
      const { stdioConnector } = await import(${JSON.stringify(entry)});
      const connector = stdioConnector({ command: process.execPath, args: ["-e", "1"] });
      const { signal } = new AbortController();
      ${preload}
      try { for (;;) openSync("/dev/null"); } catch {}
      const connecting = connector.connect({ serverName: "test", identity: undefined, signal, timeoutMs: 5_000 });
      await connecting.catch(({ name, code, judgement }) => writeSync(1, JSON.stringify({ name, code, judgement })));
      // Nothing may come after it, such as an error that nobody listens for.
      await new Promise((resolve) => setTimeout(resolve, 100));
      process.exit(0);`;
    const limited = 'ulimit -n 256; exec "$0" --input-type=module -e "$1"';
    const said = execFileSync("sh", ["-c", limited, process.execPath, code], { encoding: "utf8", timeout: 30_000 });
    expect(JSON.parse(said)).toEqual({ name: "ConnectFailure", code: "EMFILE", judgement: "not-sent" });
  });
});
