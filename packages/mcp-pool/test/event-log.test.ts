import { Console } from "node:console";
import { Writable } from "node:stream";
import { FakeClock, fail, judged, ScriptedConnector } from "@mcp-pool/core/testing";
import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createLogger, format, transports } from "winston";
import { type CreateMcpPoolOptions, createMcpPool, type Logger, type McpPoolConfig } from "../src/index.ts";

function setUp(options: CreateMcpPoolOptions = {}, config: McpPoolConfig = {}) {
  const connector = new ScriptedConnector({ clock: new FakeClock() });
  const made = createMcpPool(
    { mcpServers: { a: { command: "a" } }, pool: { minConnections: 0 }, ...config },
    { env: {}, connector: () => connector, ...options },
  );
  return made.then((manager) => {
    onTestFinished(() => manager.close());
    return { manager, connector };
  });
}

function collecting(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const write = (level: string) => (line: string) => void lines.push(`${level}: ${line}`);
  return { lines, logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") } };
}

describe("the log", () => {
  it("tells what happens, each at its level, on one line", async () => {
    const { lines, logger } = collecting();
    const { manager, connector } = await setUp({ logger });
    connector.onConnect.next(fail(new Error("refused\nfor s3cret reasons")));
    await manager.callTool("a", { name: "echo" }, { timeoutMs: 5_000 }).catch(() => {});
    await manager.callTool("a", { name: "echo" });
    await manager.close();
    expect(lines).toContainEqual(
      expect.stringMatching(/^warn: mcp-pool a: connection-failed connectionId=1 durationMs=/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^info: mcp-pool a: connection-opened connectionId=\d/));
    expect(lines).toContainEqual(expect.stringMatching(/^info: mcp-pool a: connection-closed .*reason=pool-closed/));
    for (const line of lines) expect(line).not.toMatch(/\n|request-finished/);
  });

  it("tells what is done about failures at info or above, and what each call meets at debug", async () => {
    const { lines, logger } = collecting();
    const { manager, connector } = await setUp(
      { logger },
      { settings: { logLevel: "debug" }, pool: { minConnections: 0, circuitBreaker: { failureThreshold: 2 } } },
    );
    const call = () => manager.callTool("a", { name: "echo" }).catch(() => {});
    connector.onRequest.next(judged("not-sent"));
    await call();
    connector.onProbe.next(fail(new Error("no answer")));
    await manager.checkHealth("a");
    connector.onRequest.always(judged("timed-out"));
    for (let each = 0; each < 3; each++) await call();
    for (const pattern of [
      /^info: mcp-pool a: request-retried .*attempt=2 judgement=not-sent delayMs=0/,
      /^warn: mcp-pool a: health-check-failed .*failuresInRow=1 failureThreshold=3 error=".*no answer"/,
      /^warn: mcp-pool a: circuit-state-changed from=closed to=open isForced=false retryAfterMs=\d/,
      /^debug: mcp-pool a: circuit-rejected state=open/,
      /^debug: mcp-pool a: health-check-started/,
    ]) {
      expect(lines).toContainEqual(expect.stringMatching(pattern));
    }
  });

  it("warns of the pauses that a server which keeps failing gets", async () => {
    const { lines, logger } = collecting();
    const { manager, connector } = await setUp({ logger });
    connector.onConnect.always(fail(new Error("refused")));
    for (let each = 0; each < 2; each++) await manager.callTool("a", { name: "echo" }).catch(() => {});
    expect(lines).toContainEqual(
      expect.stringMatching(/^warn: mcp-pool a: connects-paused delayMs=\d+(\.\d)? strikes=\d/),
    );
  });

  it("goes on at a new level after a reload, also for pools that are kept", async () => {
    const { lines, logger } = collecting();
    const { manager } = await setUp({ logger }, { settings: { logLevel: "error" } });
    await manager.callTool("a", { name: "echo" });
    expect(lines).toEqual([]);
    const settings = { logLevel: "debug" as const };
    await manager.reload({ mcpServers: { a: { command: "a" } }, pool: { minConnections: 0 }, settings });
    await manager.callTool("a", { name: "echo" });
    expect(lines).toContainEqual(
      expect.stringMatching(/^debug: mcp-pool a: request-finished .*method=tools\/call.*judgement=ok/),
    );
  });

  it("is silent without a logger, and goes to stderr once a level is set", async () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => void write.mockRestore());
    const silent = await setUp();
    await silent.manager.callTool("a", { name: "echo" });
    expect(write).not.toHaveBeenCalled();
    const told = await setUp({ env: { MCP_LOG_LEVEL: "info" } });
    await told.manager.callTool("a", { name: "echo" });
    expect(write.mock.calls[0]?.[0]).toMatch(/^\S+Z info mcp-pool a: connection-opened .*\n$/);
  });

  it("never names an identity", async () => {
    const { lines, logger } = collecting();
    const { manager } = await setUp({ logger }, { settings: { logLevel: "debug" } });
    await manager.callTool("a", { name: "echo" }, { identity: "s3cret" });
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join()).not.toContain("s3cret");
  });

  it("fits console, pino and winston", async () => {
    let written = "";
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written += String(chunk);
        done();
      },
    });
    const loggers: readonly Logger[] = [
      pino({ level: "debug" }, stream),
      createLogger({ level: "debug", format: format.simple(), transports: [new transports.Stream({ stream })] }),
      new Console(stream),
    ];
    for (const logger of loggers) {
      written = "";
      const { manager } = await setUp({ logger });
      await manager.callTool("a", { name: "echo" });
      await vi.waitFor(() => expect(written).toContain("mcp-pool a: connection-opened"));
    }
  });
});
