import { McpConnectionPool } from "@mcp-pool/core";
import { stdioTestServer } from "@mcp-pool/test-server";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { createPool } from "generic-pool";
import { createMcpPool } from "mcp-pool";
import type { Contender, Scenario } from "../scenario.ts";
import { connectPerCall, type EchoCaller, facadePool } from "../servers/echo-callers.ts";
import { SlowConnector } from "../servers/objects-with-times.ts";
import { sideBySide, timePerOperation } from "../time-per-operation.ts";

/** What people do without a pool: make a connection, call, and end it. */
const c1: readonly Scenario[] = (["stdio", "http"] as const).map((transport) => ({
  id: `C1/${transport}`,
  title: `tool call over ${transport}: one connection per call against the pool`,
  unit: "ns",
  baseline: "connect per call",
  // Both are compiled code only after some thousand calls, and a pool lives to see that.
  budgetMs: 3_000,
  contenders: {
    "connect per call": calling(() => connectPerCall(transport), 1),
    "mcp-pool": calling(() => facadePool(transport), 50),
  },
  fullOnly: transport === "stdio" ? [] : "all",
  targets: [{ contender: "mcp-pool", against: ["connect per call"], atMost: transport === "stdio" ? 1 / 500 : 1 / 8 }],
}));

function calling(open: () => Promise<EchoCaller>, batch: number): Contender {
  return async (budgetMs) => {
    const caller = await open();
    const time = await timePerOperation(budgetMs, batch, (operations) =>
      sideBySide(1, operations, () => caller.call()),
    );
    await caller.close();
    return time;
  };
}

const CALLERS = 64;
const SLEEP = { name: "sleep", arguments: { ms: 100 } };
const PROCESSES = 10;

/** An exclusive pool lends one process to one caller, though a process could answer many. */
const c2: Scenario = {
  id: "C2",
  title: `${CALLERS} calls of 100 ms at a time, with at most ${PROCESSES} processes, per call`,
  unit: "ns",
  baseline: "generic-pool of SDK clients",
  budgetMs: 3_000,
  contenders: {
    "generic-pool of SDK clients": async (budgetMs) => {
      const create = async () => {
        const client = new Client({ name: "bench", version: "1.0.0" });
        await client.connect(new StdioClientTransport({ ...stdioTestServer(), stderr: "ignore" }));
        return client;
      };
      const pool = createPool({ create, destroy: (client) => client.close() }, { min: PROCESSES, max: PROCESSES });
      await pool.ready();
      const time = await timePerOperation(budgetMs, CALLERS, (operations) =>
        sideBySide(CALLERS, operations, () => pool.use(async (client) => void (await client.callTool(SLEEP)))),
      );
      await pool.drain();
      await pool.clear();
      return time;
    },
    "mcp-pool": async (budgetMs) => {
      const pool = { minConnections: 1, maxConnections: PROCESSES };
      const manager = await createMcpPool({ mcpServers: { sleeper: stdioTestServer() }, pool });
      await manager.warmUp();
      const time = await timePerOperation(budgetMs, CALLERS, (operations) =>
        sideBySide(CALLERS, operations, async () => void (await manager.callTool("sleeper", SLEEP))),
      );
      const { totalConnections } = manager.stats();
      await manager.close();
      if (totalConnections > PROCESSES) throw new Error(`${totalConnections} processes are more than ${PROCESSES}`);
      return time;
    },
  },
  fullOnly: "all",
  targets: [{ contender: "mcp-pool", against: ["generic-pool of SDK clients"], atMost: 1 / 4 }],
};

const BURST = 100;
const CONNECT_MS = 150;
const CALL_MS = 50;
const ROOM = 16;

async function coldBurst(): Promise<{ readonly opened: number; readonly tookMs: number }> {
  const connector = new SlowConnector({ connectMs: CONNECT_MS, callMs: CALL_MS, concurrency: ROOM });
  const pool = new McpConnectionPool(connector, { maxConnections: 50 });
  const startedAt = performance.now();
  await sideBySide(BURST, BURST, async () => void (await pool.client.callTool({ name: "any" })));
  const tookMs = performance.now() - startedAt;
  await pool.close();
  return { opened: connector.opened, tookMs };
}

const c3: readonly Scenario[] = [
  {
    id: "C3/connections",
    title: `${BURST} callers at once on a cold pool, ${ROOM} requests per connection: connections opened`,
    unit: "count",
    baseline: "as few as can be",
    budgetMs: 0,
    contenders: {
      "as few as can be": async () => Math.ceil(BURST / ROOM),
      "mcp-pool": async () => (await coldBurst()).opened,
    },
    fullOnly: [],
    targets: [{ contender: "mcp-pool", against: ["as few as can be"], atMost: 1 }],
  },
  {
    id: "C3/time",
    title: `${BURST} callers at once on a cold pool: last answer`,
    unit: "ms",
    baseline: "one connect and one call",
    budgetMs: 0,
    contenders: {
      "one connect and one call": async () => CONNECT_MS + CALL_MS,
      "mcp-pool": async () => (await coldBurst()).tookMs,
    },
    fullOnly: [],
    targets: [{ contender: "mcp-pool", against: ["one connect and one call"], atMost: 1.3 }],
  },
];

export const scenarios: readonly Scenario[] = [...c1, c2, ...c3];
