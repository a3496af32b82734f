import { readdirSync } from "node:fs";
import { McpConnectionPool } from "@mcp-pool/core";
import { isProcessRunning, stdioTestServer } from "@mcp-pool/test-server";
import { expect, onTestFinished, test } from "vitest";
import { stdioConnector } from "../src/stdio/index.ts";
import { eventually } from "./connecting.ts";
import { processesWith } from "./processes.ts";

/** `PROCESS_CYCLES=200` is the full measure. */
const CYCLES = Number(process.env.PROCESS_CYCLES ?? 9);
/** Cycles under way at one time, each in a pool of its own. */
const LANES = 3;

const MARK = `cycles-${process.pid}-${Math.random()}`;

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

/** A server that npx starts through a shell, as it does with packages. */
function npxServer() {
  const { command, args, env } = stdioTestServer({ TEST_SERVER_STUBBORN: "1", CYCLE_MARK: MARK });
  const line = [command, ...args].map((word) => `'${word}'`).join(" ");
  return { command: "npx", args: ["--offline", "--call", line], env: { ...env, npm_config_update_notifier: "false" } };
}

test("cycles of open, use, kill and reopen leave no process and no file behind", { timeout: 1_200_000 }, async () => {
  const closeTimeouts = { stdinEndMs: 50, terminateMs: 100, killMs: 5_000 };
  const pools = new Set<McpConnectionPool>();
  const newPool = () => {
    // Servers that die young are started again ever more slowly, which is not what is measured here.
    const connector = {
      ...stdioConnector({ ...npxServer(), closeTimeouts }),
      connectBackoff: { initialDelayMs: 1, maxDelayMs: 5 },
    };
    const options = { minConnections: 0, maxConnections: 1, connectionTimeoutMs: 120_000, requestTimeoutMs: 120_000 };
    const pool = new McpConnectionPool(connector, options);
    pools.add(pool);
    return pool;
  };
  onTestFinished(async () => {
    await Promise.all([...pools].map((pool) => pool.close({ drainTimeoutMs: 0 })));
  });
  const before = openFiles();
  const startedAt = performance.now();
  const servers = new Set<number>();
  let done = 0;
  const lane = async () => {
    let pool = newPool();
    for (let turn = 1; done < CYCLES; turn++) {
      const cycle = done++;
      // A server that fails is started at most 30 times a minute, however often it is asked for.
      if (turn % 25 === 0) {
        await pool.close();
        pool = newPool();
      }
      const call = async (name: string, args = {}) => {
        const { structuredContent } = await pool.client.callTool({ name, arguments: args });
        return Number(structuredContent?.pid);
      };
      await using lease = await pool.acquire();
      const wrapper = Number(lease.connection.endpoint.processId);
      const server = await call("session-info");
      const grandchild = await call("spawn-child", { stubborn: true, holdStdio: true });
      expect(server).not.toBe(wrapper);
      servers.add(server);
      // The server itself, its wrapper, or nobody: then the pool closes it.
      const victim = [server, wrapper][cycle % 3];
      if (victim === undefined) lease.discard();
      else process.kill(victim, "SIGKILL");
      await eventually(() => [wrapper, server, grandchild].filter(isProcessRunning)).toEqual([]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(servers.size).toBe(CYCLES);
  await Promise.all([...pools].map((pool) => pool.close()));
  expect(processesWith(MARK)).toEqual([]);
  await eventually(openFiles).toBeLessThanOrEqual(before);
  if (CYCLES >= 200) console.log(`${CYCLES} cycles took ${Math.round((performance.now() - startedAt) / 1_000)} s`);
});
