import { describe, expect, it } from "vitest";
import { exclusive, openServers, scriptedManager } from "./scripted-manager.ts";

const TAGS = { a: { tags: ["production", "critical"] }, b: { tags: ["production"] }, c: {} };

describe("closing by tag", () => {
  it("closes and removes the servers that have it, and leaves the others as they are", async () => {
    const scripted = scriptedManager({ servers: TAGS });
    const { manager } = scripted;
    for (const name of manager.servers()) await manager.callTool(name, { name: "echo" });
    await manager.close({ tag: "production" });
    expect(openServers(scripted)).toEqual(["c"]);
    expect(manager.servers()).toEqual(["c"]);
    await expect(manager.callTool("a", { name: "echo" })).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
    await manager.callTool("c", { name: "echo" });
    await manager.close({ tag: "production" });
    expect(manager.servers()).toEqual(["c"]);
  });

  it("lets work end for as long as it is told", async () => {
    const { manager, clock } = scriptedManager({ servers: { a: { ...TAGS.a, ...exclusive() }, c: {} } });
    const lease = await manager.acquire("a");
    let isClosed = false;
    const closing = manager.close({ tag: "critical", drainTimeoutMs: 5_000 }).then(() => {
      isClosed = true;
    });
    await clock.advance(4_000);
    expect(isClosed).toBe(false);
    lease.release();
    await clock.advance(10);
    await closing;
    await expect(manager.close({ tag: "critical", drainTimeoutMs: -1 })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
  });

  it("is nothing more to do once the manager is closed", async () => {
    const { manager } = scriptedManager({ servers: TAGS });
    await manager.close();
    await manager.close({ tag: "critical" });
    expect(manager.servers()).toEqual(["a", "b", "c"]);
  });
});
