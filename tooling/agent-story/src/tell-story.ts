import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stdioTestServer } from "@mcp-pool/test-server";
import { createMcpPool, createPooledMcpTools, type McpPoolManager, type PooledMcpTools } from "mcp-pool";

/** A tool that the scripted model of an agent calls. */
export interface CallInStory {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** An agent of some framework, on a model that does what it is told. */
export interface AgentInStory {
  /** Names of the tools that the agent's model is offered. */
  readonly toolNames: readonly string[];
  /** Has the model call these tools at once, and then end. Resolves with what the model was told of each. */
  run(calls: readonly CallInStory[], signal: AbortSignal): Promise<readonly string[]>;
}

const PATIENCE_MS = 20_000;

/**
 * Takes an agent through what happens to agents, on two real servers and one pool, and throws when anything is not as it
 * should be: it lists its tools, calls two, sees a tool fail, is aborted, and outlives a killed server.
 */
export async function tellStory(
  framework: string,
  makeAgent: (tools: readonly PooledMcpTools[]) => Promise<AgentInStory>,
): Promise<void> {
  await using manager = await createMcpPool({
    mcpServers: { everything: everythingServer(), scripted: stdioTestServer() },
    pool: { minConnections: 0, maxConnections: 2 },
    settings: { logLevel: "error" },
  });
  const agent = await makeAgent(["everything", "scripted"].map((server) => createPooledMcpTools(server, { manager })));
  const run = (call: CallInStory, signal = new AbortController().signal) => agent.run([call], signal);
  console.log(`${framework}, two servers, one pool`);

  for (const name of ["everything__echo", "scripted__add"]) assert.ok(agent.toolNames.includes(name), `offers ${name}`);
  console.log(`  lists ${agent.toolNames.length} tools`);

  const add = { name: "scripted__add", args: { a: 2, b: 3 } };
  const both = [{ name: "everything__echo", args: { message: "hi" } }, add];
  const [echoed, sum] = await agent.run(both, new AbortController().signal);
  assert.match(echoed ?? "", /Echo: hi/);
  assert.match(sum ?? "", /\b5\b/);
  console.log("  calls a tool of each server, and the model sees the results");

  const [failure] = await run({ name: "scripted__fail", args: { message: "out of paper" } });
  assert.match(failure ?? "", /out of paper/);
  console.log("  the model sees that a tool failed, and why");

  const pid = await pidOf(manager);
  await abortOnce(manager, (signal) => run({ name: "scripted__sleep", args: { ms: 600_000 } }, signal));
  assert.equal(await pidOf(manager), pid, "an aborted call costs no connection");
  console.log("  an abort of the run ends the call, and costs no connection");

  await kill(manager, pid);
  const [again] = await run(add);
  assert.match(again ?? "", /\b5\b/);
  assert.notEqual(await pidOf(manager), pid, "there is a new process");
  console.log("  the agent goes on after its server was killed");
}

function everythingServer(): { readonly command: string; readonly args: string[] } {
  const manifest = import.meta.resolve("@modelcontextprotocol/server-everything/package.json");
  return { command: process.execPath, args: [fileURLToPath(new URL("dist/index.js", manifest)), "stdio"] };
}

async function pidOf(manager: McpPoolManager): Promise<number> {
  const { structuredContent, content } = await manager.callTool("scripted", { name: "session-info", arguments: {} });
  const [block] = content;
  const info: unknown = structuredContent ?? JSON.parse(block?.type === "text" ? block.text : "{}");
  const pid = typeof info === "object" && info !== null && "pid" in info ? info.pid : undefined;
  assert.ok(typeof pid === "number", "the server tells its process");
  return pid;
}

/** Aborts a run once its call is under way, and waits until the pool has seen the abort. */
async function abortOnce(manager: McpPoolManager, start: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  let isAborted = false;
  const unsubscribe = manager.subscribe((event) => {
    isAborted ||= event.type === "request-finished" && event.judgement === "aborted";
  });
  const controller = new AbortController();
  // Frameworks differ in whether an aborted run fails or just ends.
  const running = start(controller.signal).then(
    () => "ended",
    () => "ended",
  );
  await until("the call is under way", () => manager.pool("scripted").stats().inFlight > 0);
  controller.abort();
  assert.equal(await Promise.race([running, delay(PATIENCE_MS, "runs on", { ref: false })]), "ended");
  await until("the pool has seen the abort", () => isAborted);
  unsubscribe();
}

async function kill(manager: McpPoolManager, pid: number): Promise<void> {
  let isClosed = false;
  const unsubscribe = manager.subscribe(
    ({ serverName }) => {
      isClosed ||= serverName === "scripted";
    },
    ["connection-closed"],
  );
  process.kill(pid, "SIGKILL");
  await until("the pool has noticed", () => isClosed);
  unsubscribe();
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 10) {
    assert.ok(waitedMs < PATIENCE_MS, `${what}, within ${PATIENCE_MS} ms`);
    await delay(10);
  }
}
