import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { createMcpPool, type McpPoolManager, type McpServerConfig } from "../src/index.ts";
import { referenceServer } from "./reference-server.ts";
import { TRANSPORTS } from "./transports.ts";

const SLOW = { timeout: 60_000 };
const WAIT = { timeout: 20_000 };

/** A manager whose roots are what `uris` holds at the time. */
async function managerOf(server: McpServerConfig, uris: string[], sdk: "v1" | "v2"): Promise<McpPoolManager> {
  const manager = await createMcpPool(
    { mcpServers: { files: server }, pool: { minConnections: 0, maxConnections: 1 }, settings: { sdk } },
    { handlers: { roots: () => uris.map((uri) => ({ uri })), features: { roots: { listChanged: true } } } },
  );
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

async function textOf(manager: McpPoolManager, name: string, args: object = {}): Promise<string> {
  const { content } = await manager.callTool("files", { name, arguments: { ...args } });
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

describe.each(["v1", "v2"] as const)("changed roots, with the %s SDK,", SLOW, (sdk) => {
  test.each(Object.entries(TRANSPORTS))("reach a server over %s, which asks again", async (_name, start) => {
    const uris = ["file:///one"];
    const manager = await managerOf(await start(), uris, sdk);
    const known = () => textOf(manager, "get", { key: "roots" });
    expect(await known()).toBe("no value for roots");
    // Said again until it is heard: an HTTP server asks on a stream of its own, which opens beside the first call.
    const announce = async () => {
      await manager.sendRootsListChanged("files");
      return known();
    };
    await expect.poll(announce, WAIT).toBe("file:///one");
    uris.push("file:///two");
    await manager.use("files", (_client, lease) => lease.sendRootsListChanged());
    await expect.poll(known, WAIT).toBe("file:///one file:///two");
  });

  test("open another folder to the reference server for files", async () => {
    const folders = [0, 1].map(() => realpathSync(mkdtempSync(join(tmpdir(), "mcp-pool-roots-"))));
    onTestFinished(() => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });
    const [first = "", second = ""] = folders;
    const uris = [pathToFileURL(first).href];
    const manager = await managerOf(referenceServer("server-filesystem"), uris, sdk);
    const allowed = () => textOf(manager, "list_allowed_directories");
    await expect.poll(allowed, WAIT).toContain(first);
    expect(await allowed()).not.toContain(second);
    uris.splice(0, 1, pathToFileURL(second).href);
    await manager.sendRootsListChanged();
    await expect.poll(allowed, WAIT).toContain(second);
    expect(await allowed()).not.toContain(first);
  });
});

test("changed roots reach a server that has forgotten the session, in a new one", SLOW, async () => {
  const server = await startHttpTestServer();
  onTestFinished(() => server.close());
  const manager = await managerOf({ url: server.url.href }, ["file:///one"], "v1");
  await manager.callTool("files", { name: "echo", arguments: { message: "hello" } });
  server.expireSessions();
  const announce = async () => {
    await manager.sendRootsListChanged();
    return textOf(manager, "get", { key: "roots" });
  };
  await expect.poll(announce, WAIT).toBe("file:///one");
  expect(server.stats().requests.initialize).toBe(2);
});
