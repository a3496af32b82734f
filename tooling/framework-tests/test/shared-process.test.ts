import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLedger, stdioTestServer } from "@mcp-pool/test-server";
import { collectTools, createMcpPool, createPooledMcpTools, type McpPoolManager } from "mcp-pool";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { FRAMEWORKS } from "./frameworks.ts";

let manager: McpPoolManager;
let processes: () => readonly number[];

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "mcp-pool-shared-"));
  const ledger = join(folder, "ledger");
  manager = await createMcpPool({
    mcpServers: { scripted: stdioTestServer({ TEST_SERVER_LEDGER: ledger }) },
    pool: { minConnections: 0 },
    settings: { logLevel: "error" },
  });
  processes = () => readLedger(ledger).processes;
  onTestFinished(async () => {
    await manager.close({ drainTimeoutMs: 0 });
    rmSync(folder, { recursive: true, force: true });
  });
});

const toolsOf = (prefix: string | false) => createPooledMcpTools("scripted", { manager, prefix });

describe("frameworks in one process", () => {
  it("share one server process", async () => {
    const made = await Promise.all(Object.values(FRAMEWORKS).map((toFramework) => toFramework(toolsOf(false))));
    const name = (names: readonly string[]) => names.find((each) => /^session.info$/.test(each)) ?? "";
    const answers = await Promise.all(made.map(({ names, call }) => call(name(names), {})));
    const pids = answers.map((answer) => /pid[\\": ]+(\d+)/.exec(JSON.stringify(answer))?.[1]);
    expect(pids).toHaveLength(Object.keys(FRAMEWORKS).length);
    expect(new Set(pids).size, `pids ${pids.join(", ")}`).toBe(1);
    expect(processes()).toEqual([Number(pids[0])]);
  });

  it("see a list that changes in mid-run, when they ask again", async () => {
    const server = toolsOf("s");
    const before = await collectTools(server);
    await server.callTool("change-tools", { name: "brand-new" });
    await expect.poll(async () => (await collectTools(server)).map(({ name }) => name)).toContain("s__brand-new");
    const added = (await collectTools(server)).find(({ toolName }) => toolName === "brand-new");
    expect(await added?.call({})).toMatchObject({ content: [expect.anything()] });
    await server.callTool("change-tools", { name: "brand-new" });
    await expect.poll(async () => (await collectTools(server)).length).toBe(before.length);
    // A tool that a model still remembers: the server says what it thinks of that.
    await expect(added?.call({})).rejects.toThrow(/brand-new/);
  });
});
