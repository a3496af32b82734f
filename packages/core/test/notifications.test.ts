import { describe, expect, it } from "vitest";
import type { ResourceUpdate } from "../src/index.ts";
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
