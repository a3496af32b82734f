import { expect, it } from "vitest";
import type { AcquireOptions, McpConnectionManager, RequestOptions } from "../src/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { scriptedPool } from "./scripted-pool.ts";

const CALL = { name: "echo" };
const misspelt: RequestOptions & AcquireOptions = JSON.parse('{"timeout": 5}');
const refusal = {
  code: "VALIDATION_FAILED",
  message: expect.stringMatching(/timeout is not known; there are signal, timeoutMs, /),
  issues: [{ path: "timeout" }],
};

it.each<readonly [string, (manager: McpConnectionManager) => Promise<unknown>]>([
  ["a call", (manager) => manager.callTool("files", CALL, misspelt)],
  ["a call with an identity", (manager) => manager.callTool("files", CALL, { ...misspelt, identity: "ann" })],
  ["a list of tools", (manager) => manager.listTools("files", misspelt)],
  ["an acquire", (manager) => manager.acquire("files", misspelt)],
  ["an exclusive acquire", (manager) => manager.acquire("files", { ...misspelt, sharing: "exclusive" })],
  ["a piece of work", (manager) => manager.use("files", () => Promise.resolve(), misspelt)],
])("%s with a misspelt option is refused, and nothing is opened", async (_what, start) => {
  const { manager, connector } = scriptedManager({ servers: { files: {} } });
  await expect(start(manager)).rejects.toMatchObject(refusal);
  expect(connector.connections).toEqual([]);
});

it("a call on a lease with a misspelt option is refused, and not sent", async () => {
  const { pool, connector } = scriptedPool();
  const lease = await pool.acquire();
  await expect(lease.client.callTool(CALL, misspelt)).rejects.toMatchObject(refusal);
  expect(connector.connections.flatMap(({ requests }) => requests)).toEqual([]);
  lease.release();
});

it("an option that is no number is shown as it was written", async () => {
  const { pool } = scriptedPool();
  const options: RequestOptions = JSON.parse('{"timeoutMs": "5"}');
  await expect(pool.client.callTool(CALL, options)).rejects.toThrow(
    'timeoutMs must be a number above 0, in milliseconds, not "5"',
  );
});

it.each(["null", "5", "true"])("options that are %s are refused by a promise", async (text) => {
  const { pool, connector } = scriptedPool();
  const options: RequestOptions & AcquireOptions = JSON.parse(text);
  const wrong = { code: "VALIDATION_FAILED", issues: [{ path: "options", message: `must be an object, not ${text}` }] };
  await expect(pool.request("tools/call", CALL, options)).rejects.toMatchObject(wrong);
  await expect(pool.client.callTool(CALL, options)).rejects.toMatchObject(wrong);
  await expect(pool.listTools(options)).rejects.toMatchObject(wrong);
  await expect(pool.acquire(options)).rejects.toMatchObject(wrong);
  expect(connector.connections).toEqual([]);
});
