import { describe, expect, it } from "vitest";
import type { ResourceUpdate } from "../src/index.ts";
import { judged, manual } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { acquireMany, exclusivePool, scriptedPool } from "./scripted-pool.ts";

const LOG = { method: "notifications/message", params: { level: "info", data: "hello" } };

function updated(uri: string) {
  return { method: "notifications/resources/updated", params: { uri } };
}

describe("notifications", () => {
  it("reach the lease on whose connection they arrive, until its release", async () => {
    const { pool, connector, recorder } = exclusivePool();
    const [first, second] = await acquireMany(pool, 2);
    const heard: string[] = [];
    first?.onNotification(({ method }) => heard.push(`first ${method}`));
    const end = first?.onNotification(() => heard.push("ended"));
    second?.onNotification(() => {
      throw new Error("listener");
    });
    end?.();
    end?.();
    connector.connection(1).notify(LOG);
    connector.connection(2).notify(LOG);
    expect(heard).toEqual(["first notifications/message"]);
    expect(recorder.of("listener-failed")).toHaveLength(1);
    first?.release();
    second?.release();
    connector.connection(1).notify(LOG);
    expect(heard).toHaveLength(1);
    expect(() => first?.onNotification(() => {})).toThrow("after its release");
  });

  it("reach listeners of the pool from all its connections", async () => {
    const { pool, connector } = exclusivePool();
    const leases = await acquireMany(pool, 2);
    const heard: unknown[] = [];
    const end = pool.onNotification((notification) => heard.push(notification));
    connector.connection(1).notify(LOG);
    connector.connection(2).notify(LOG);
    end();
    connector.connection(1).notify(LOG);
    expect(heard).toEqual([LOG, LOG]);
    for (const lease of leases) lease.release();
  });

  it("reach a manager's listeners of that server and that identity alone", async () => {
    const { manager, connector } = scriptedManager({ servers: { a: {}, b: {} } });
    const heard: string[] = [];
    manager.onNotification("a", () => heard.push("a"));
    manager.onNotification("a", () => heard.push("ann"), { identity: "ann" });
    manager.onNotification("b", () => heard.push("b"));
    expect(() => manager.onNotification("c", () => {})).toThrow('"c"');
    await manager.callTool("a", { name: "t" });
    await manager.callTool("a", { name: "t" }, { identity: "ann" });
    await manager.callTool("b", { name: "t" });
    for (const id of [1, 2, 3]) connector.connection(id).notify(LOG);
    expect(heard).toEqual(["a", "ann", "b"]);
  });
});

describe("updates of a resource", () => {
  it("reach its subscribers, with those of its parts, and nobody else", async () => {
    const { pool, connector } = scriptedPool();
    const heard: string[] = [];
    const onUpdated = ({ uri }: ResourceUpdate) => heard.push(`a ${uri}`);
    await pool.subscribeResource({ uri: "test://a" }, { onUpdated });
    await pool.subscribeResource({ uri: "test://ab" }, { onUpdated: ({ uri }) => heard.push(`ab ${uri}`) });
    for (const uri of ["test://a", "test://a/part", "test://ab", "test://c"]) {
      connector.connection(1).notify(updated(uri));
    }
    expect(heard).toEqual(["a test://a", "a test://a/part", "ab test://ab"]);
    await pool.unsubscribeResource({ uri: "test://a" }, { onUpdated });
    connector.connection(1).notify(updated("test://a"));
    expect(heard).toHaveLength(3);
  });

  it("may have been missed before a subscription is restored, so that subscribers are told of that", async () => {
    const { pool, connector, clock } = scriptedPool();
    const heard: ResourceUpdate[] = [];
    await pool.subscribeResource({ uri: "test://a" }, { onUpdated: (update) => heard.push(update) });
    expect(heard).toEqual([]);
    connector.connection(1).die();
    await clock.settle();
    expect(heard).toEqual([{ uri: "test://a", isRestored: true }]);
    connector.connection(2).notify(updated("test://a"));
    expect(heard[1]).toEqual({ uri: "test://a", isRestored: false });
  });

  it("go on to the other subscribers when one throws, or has left", async () => {
    const { pool, connector, recorder } = scriptedPool();
    const heard: string[] = [];
    const failing = () => {
      throw new Error("listener");
    };
    await pool.subscribeResource({ uri: "test://a" }, { onUpdated: failing });
    await pool.subscribeResource({ uri: "test://a" }, { onUpdated: () => heard.push("other") });
    await pool.subscribeResource({ uri: "test://a" });
    connector.connection(1).notify(updated("test://a"));
    expect(recorder.of("listener-failed")).toHaveLength(1);
    await pool.unsubscribeResource({ uri: "test://a" }, { onUpdated: () => {} });
    await pool.unsubscribeResource({ uri: "test://a" });
    await pool.unsubscribeResource({ uri: "test://a" }, { onUpdated: failing });
    connector.connection(1).notify(updated("test://a"));
    expect(heard).toEqual(["other", "other"]);
    expect(connector.requests.map(({ method }) => method)).toEqual(["resources/subscribe"]);
    await pool.unsubscribeResource({ uri: "test://a" });
    expect(connector.requests.at(-1)?.method).toBe("resources/unsubscribe");
  });
});

describe("the level of log messages", () => {
  it("is set on every connection, now and later, and on no other", async () => {
    const { pool, connector } = exclusivePool();
    connector.server = { ...connector.server, capabilities: { logging: {} } };
    const leases = await acquireMany(pool, 2);
    await pool.setLoggingLevel("warning");
    leases.push(...(await acquireMany(pool, 1)));
    connector.server = { ...connector.server, capabilities: {} };
    leases.push(...(await acquireMany(pool, 1)));
    const params = { level: "warning" };
    expect(connector.requests).toMatchObject(
      [1, 2, 3].map((connection) => ({ connection, method: "logging/setLevel", params })),
    );
    for (const lease of leases) lease.release();
  });

  it("goes along with each request where the protocol has it there", async () => {
    const { pool, connector } = scriptedPool();
    connector.era = "modern";
    await pool.request("ping");
    await pool.setLoggingLevel("debug");
    await pool.request("tools/call", { name: "a", _meta: { own: 1 } });
    expect(connector.requests.map(({ params }) => params)).toEqual([
      undefined,
      { name: "a", _meta: { own: 1, "io.modelcontextprotocol/logLevel": "debug" } },
    ]);
  });

  it("tells the caller, or whoever listens, that a server refuses it", async () => {
    const { pool, connector, recorder, clock } = exclusivePool();
    connector.server = { ...connector.server, capabilities: { logging: {} } };
    const leases = await acquireMany(pool, 1);
    const error = new Error("no logging today");
    connector.onRequest.always(judged("answered", "no logging today", { cause: error }));
    await expect(pool.setLoggingLevel("info")).rejects.toBe(error);
    leases.push(...(await acquireMany(pool, 1)));
    await clock.settle();
    expect(recorder.of("listener-failed")).toMatchObject([{ error }]);
    await expect(pool.setLoggingLevel("loud" as "info")).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    for (const lease of leases) lease.release();
  });

  it("cannot keep a lease from being given back when their connection fails to be left", async () => {
    const { pool, connector, recorder } = exclusivePool({ maxConnections: 1 });
    const lease = await pool.acquire();
    const problem = new Error("cannot be left");
    connector.connection(1).onNotification = () => () => {
      throw problem;
    };
    lease.onNotification(() => {});
    lease.release();
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
    expect(recorder.of("listener-failed")).toMatchObject([{ error: problem }]);
  });

  it("of a level that is still being set cost no exclusive connection whose lease ends meanwhile", async () => {
    const { pool, connector, clock } = exclusivePool({ maxConnections: 1 });
    connector.server = { ...connector.server, capabilities: { logging: {} } };
    await pool.setLoggingLevel("info");
    connector.onRequest.next(manual());
    const lease = await pool.acquire();
    expect(connector.requests.map(({ method }) => method)).toEqual(["logging/setLevel"]);
    lease.release();
    connector.pending[0]?.resolve({});
    await clock.settle();
    const next = await pool.acquire();
    expect(next.connectionId).toBe(lease.connectionId);
    next.release();
  });

  it("of a level that is still being set keep no exclusive connection on which a call of its lease is under way", async () => {
    const { pool, connector } = exclusivePool({ maxConnections: 1 });
    connector.server = { ...connector.server, capabilities: { logging: {} } };
    await pool.setLoggingLevel("info");
    connector.onRequest.next(manual(), manual());
    const lease = await pool.acquire();
    const left = lease.client.callTool({ name: "slow" }).catch(() => "lost");
    lease.release();
    expect(connector.requests.map(({ method }) => method)).toEqual(["logging/setLevel", "tools/call"]);
    const next = await pool.acquire();
    expect(next.connectionId).not.toBe(lease.connectionId);
    next.release();
    await pool.close({ drainTimeoutMs: 0 });
    await left;
  });
});
