import { fail, ok } from "@mcp-pool/core/testing";
import { describe, expect, it } from "vitest";
import { fullStack, settled } from "./full-stack.ts";

const PAY = { name: "pay" };
const [ALICE, BOB] = ["alice@example.com", "bob@example.com"];

describe("manager.health() of a server that requires an identity", () => {
  it("knows nothing before the first one comes, and makes no pool of its own fail", async () => {
    const { manager, clock, connector } = fullStack(["files"], { server: { identityRequired: true } });
    const check = settled(manager.checkHealth("files"));
    await clock.advance(2_000);
    expect(check.value).toMatchObject({ status: "unknown", checksPerformed: 0, pools: {} });
    expect(connector("files").connects).toEqual([]);
  });

  it("tells of each identity's pool by the pool's name, of the worst as the server's, and of no identity", async () => {
    const { manager, clock, connector } = fullStack(["files"], { server: { identityRequired: true } });
    await manager.callTool("files", PAY, { identity: ALICE });
    await manager.callTool("files", PAY, { identity: BOB });
    await clock.advance(6_000);
    expect(manager.health("files")).toMatchObject({
      status: "healthy",
      pools: { "files#2": { status: "healthy" }, "files#3": { status: "healthy" } },
    });
    const bob = connector("files").connection(2);
    connector("files").onProbe.always(({ id }) => (id === bob.id ? fail(new Error("no")) : ok()));
    await clock.advance(16_000);
    const health = manager.health("files");
    expect(health).toMatchObject({
      status: "unhealthy",
      lastError: expect.stringContaining("no"),
      pools: { "files#2": { status: "healthy" }, "files#3": { status: "unhealthy" } },
    });
    expect(JSON.stringify(health)).not.toMatch(/alice|bob/);
    expect(manager.poolsOf("files").map(({ name }) => name)).toEqual(["files", "files#2", "files#3"]);
  });

  it("asks by checkHealth() the pools that have connections, and opens none for the others", async () => {
    const { manager, clock, connector } = fullStack(["files"], {
      server: { identityRequired: true },
      pool: { maxIdleTimeMs: 1_000, cleanupIntervalMs: 500 },
    });
    await manager.callTool("files", PAY, { identity: ALICE });
    await clock.advance(2_000);
    await manager.callTool("files", PAY, { identity: BOB });
    const check = settled(manager.checkHealth("files"));
    await clock.advance(100);
    expect(check.value).toMatchObject({
      pools: { "files#2": { checksPerformed: 0 }, "files#3": { checksPerformed: 1 } },
    });
    expect(connector("files").connects).toHaveLength(2);
  });
});

describe("manager.health() of a server that knows identities but does not require them", () => {
  it("covers the pool without an identity as well", async () => {
    const { manager, clock } = fullStack(["files"]);
    await manager.callTool("files", PAY);
    await manager.callTool("files", PAY, { identity: ALICE });
    await clock.advance(6_000);
    expect(manager.health()).toMatchObject({
      files: { status: "healthy", pools: { files: { status: "healthy" }, "files#2": { status: "healthy" } } },
    });
  });
});
