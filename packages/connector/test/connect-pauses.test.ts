import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { type Connector, McpConnectionPool } from "@mcp-pool/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector, stdioConnector } from "../src/index.ts";
import { SLOW } from "./connecting.ts";

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Fails connects until there were pauses, and returns how long they were, in milliseconds. */
async function pausesOf(connector: Connector): Promise<readonly number[]> {
  const pool = new McpConnectionPool(connector, { minConnections: 0, maxConnections: 1 });
  onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
  const delays: number[] = [];
  pool.subscribe((event) => {
    if (event.type === "connects-paused") delays.push(event.delayMs);
  });
  while (delays.length < 2) await pool.request("ping").catch(() => undefined);
  return delays;
}

/** Each pause is drawn from the upper half of its bound. */
describe("after failed connects, the pauses", SLOW, () => {
  test("begin at 10 ms for a server over HTTP, since a socket costs little", async () => {
    const [first = Infinity, second = Infinity] = await pausesOf(
      httpConnector({ url: `http://127.0.0.1:${await closedPort()}/mcp` }),
    );
    expect([first <= 10, second <= 20]).toEqual([true, true]);
  });

  test("begin at 100 ms for a process", async () => {
    const [first = Infinity, second = 0] = await pausesOf(
      stdioConnector({ command: process.execPath, args: ["-e", "1"] }),
    );
    expect([first <= 100, second > 20, second <= 200]).toEqual([true, true, true]);
  });
});
