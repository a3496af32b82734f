import { describe, expect, it } from "vitest";
import { type ClientHandlers, RequestFailure } from "../src/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { acquireMany, exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

const CHANGED = "notifications/roots/list_changed";
const CALL = { name: "echo" };

const handlers: ClientHandlers = { roots: () => [], features: { roots: { listChanged: true } } };

describe("changed roots", () => {
  it("are told of on every open connection of a pool, busy and draining ones included", async () => {
    const { pool, connector } = exclusivePool({ handlers });
    const [kept, discarded] = await acquireMany(pool, 3);
    discarded?.discard();
    await pool.sendRootsListChanged();
    expect(connector.connections.map(({ notified }) => notified)).toEqual([[CHANGED], [], [CHANGED]]);
    await kept?.sendRootsListChanged();
    expect(connector.connections.map(({ notified }) => notified.length)).toEqual([2, 0, 1]);
  });

  it("need not be told of from protocol revision 2026-07-28 on", async () => {
    const { pool, connector } = scriptedPool({ handlers });
    connector.era = "modern";
    await pool.request("ping");
    await pool.sendRootsListChanged();
    expect(connector.connection(1).notified).toEqual([]);
  });

  it.each<[string, ClientHandlers | undefined]>([
    ["there are no handlers", undefined],
    ["changes were not announced", { roots: () => [] }],
    ["nobody lists any", { features: { roots: { listChanged: true } } }],
  ])("are an error where %s", async (_what, own) => {
    const { pool, connector } = scriptedPool({ handlers: own });
    const lease = await pool.acquire();
    const error = { code: "VALIDATION_FAILED", issues: [{ path: "handlers" }] };
    await expect(pool.sendRootsListChanged()).rejects.toMatchObject(error);
    await expect(lease.sendRootsListChanged()).rejects.toMatchObject(error);
    lease.release();
    await expect(lease.sendRootsListChanged()).rejects.toThrow(/after its release/);
    expect(connector.connection(1).notified).toEqual([]);
  });

  it("are an error when a connection that goes on does not take it, and none when it ends", async () => {
    const { pool, connector, clock } = scriptedPool({ handlers });
    await pool.request("ping");
    const connection = connector.connection(1);
    connection.notificationFailure = new RequestFailure("outcome-unknown", "HTTP 500");
    const failed = outcomeOf(pool.sendRootsListChanged());
    await clock.settle();
    expect(failed.error).toMatchObject({ code: "CONNECTION_FAILED", message: expect.stringContaining("HTTP 500") });
    const lost = outcomeOf(pool.sendRootsListChanged());
    connection.die();
    await clock.settle();
    expect(lost.state).toBe("resolved");
  });

  it("are told of to one server or to all that expect it, for one identity or for all", async () => {
    const { manager, connector } = scriptedManager({
      servers: { a: { pool: { handlers, minConnections: 0 } }, b: {}, c: { pool: { handlers, minConnections: 0 } } },
    });
    for (const server of ["a", "b", "c"]) await manager.callTool(server, CALL);
    await manager.callTool("a", CALL, { identity: "me" });
    const counts = () => connector.connections.map(({ notified }) => notified.length);
    await manager.sendRootsListChanged();
    expect(counts()).toEqual([1, 0, 1, 1]);
    await manager.sendRootsListChanged("a");
    expect(counts()).toEqual([2, 0, 1, 2]);
    await manager.sendRootsListChanged("a", { identity: "me" });
    expect(counts()).toEqual([2, 0, 1, 3]);
    await expect(manager.sendRootsListChanged("b")).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await expect(manager.sendRootsListChanged("d")).rejects.toMatchObject({ code: "SERVER_NOT_FOUND" });
  });
});
