import { expect, it } from "vitest";
import type { McpPoolConfig, McpPoolManager } from "../src/index.ts";
import { expectGone, ledgeredServer, managerOf } from "./real-servers.ts";

const CALLERS = 32;
const RELOAD_EVERY_MS = 200;
const RUNS_FOR_MS = 10_000;

interface SessionInfo {
  readonly pid: number;
  readonly variables: { readonly ROUND?: string };
}

async function infoOf(manager: McpPoolManager, server: string): Promise<SessionInfo> {
  const { content } = await manager.callTool(server, { name: "session-info", arguments: { variables: ["ROUND"] } });
  const [block] = content;
  return JSON.parse(block?.type === "text" ? String(block.text) : "{}");
}

it("reloads under load lose no call, renew what has changed, and leave the rest alone", {
  timeout: 120_000,
}, async () => {
  const servers = { kept: ledgeredServer(), changed: ledgeredServer(), other: ledgeredServer() };
  const configOf = (round: number): McpPoolConfig => ({
    mcpServers: {
      kept: servers.kept.config,
      changed: { ...servers.changed.config, env: { ...servers.changed.config.env, ROUND: String(round) } },
      other: servers.other.config,
    },
    pool: { minConnections: 1, maxConnections: 1 },
    settings: { cleanupIntervalMs: 60_000 + round },
  });
  const manager = await managerOf(configOf(0));
  await manager.warmUp();
  const pids = { kept: (await infoOf(manager, "kept")).pid, other: (await infoOf(manager, "other")).pid };

  const counts = { calls: 0, reloads: 0, checks: 0 };
  const failures: unknown[] = [];
  const until = performance.now() + RUNS_FOR_MS;
  const names = Object.keys(servers);
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let turn = caller; performance.now() < until; turn++) {
      const message = `${caller}/${turn}`;
      const call = manager.callTool(names[turn % names.length] ?? "", { name: "echo", arguments: { message } });
      const result = await call.catch((error: unknown) => void failures.push(error));
      if (result !== undefined) expect(result).toMatchObject({ content: [{ text: message }] });
      counts.calls++;
    }
  });
  const checks: Promise<void>[] = [];
  const nextRound = async (round: number) => {
    await manager.reload(configOf(round));
    counts.reloads++;
    // Another reload may come before the answer; then a later round may answer, never an earlier one.
    const check = infoOf(manager, "changed").then(({ variables }) => {
      counts.checks++;
      expect(Number(variables.ROUND)).toBeGreaterThanOrEqual(round);
      return Promise.all([infoOf(manager, "kept"), infoOf(manager, "other")]);
    });
    checks.push(check.then(([kept, other]) => expect({ kept: kept.pid, other: other.pid }).toEqual(pids)));
  };
  for (let round = 1; performance.now() < until; round++) {
    const started = performance.now();
    await nextRound(round);
    await new Promise((resolve) => setTimeout(resolve, RELOAD_EVERY_MS - (performance.now() - started)));
  }
  await Promise.all([...callers, ...checks]);
  expect(failures).toEqual([]);
  expect([servers.kept.processes(), servers.other.processes()]).toEqual([[pids.kept], [pids.other]]);
  expect(servers.changed.processes().length).toBeGreaterThan(1);
  console.info(
    `${counts.calls} calls, ${counts.reloads} reloads, ${counts.checks} checks, ` +
      `${servers.changed.processes().length} processes of the changed server`,
  );
  await manager.close();
  const everyone = Object.values(servers).flatMap((server) => server.processes());
  expectGone(everyone);
});
