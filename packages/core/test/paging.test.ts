import { describe, expect, it } from "vitest";
import { RequestFailure } from "../src/index.ts";
import { judged, manual, ok } from "../src/testing/index.ts";
import { exclusivePool, outcomeOf, type ScriptedPool, scriptedPool } from "./scripted-pool.ts";

function page(name: string, nextCursor?: string) {
  return ok({ resources: [{ uri: `test://${name}`, name }], ...(nextCursor !== undefined && { nextCursor }) });
}

function sent({ connector }: ScriptedPool): string[] {
  return connector.requests.map(({ connection, params }) => `${connection} ${params?.cursor ?? "first"}`);
}

function namesOf({ resources }: { readonly resources: readonly { readonly name: string }[] }): string[] {
  return resources.map(({ name }) => name);
}

describe("the pages of a list", () => {
  it("come over one connection, whichever others have room", async () => {
    const scripted = scriptedPool({ maxRequestsPerConnection: 1, maxConnections: 2 });
    const { pool, connector, clock } = scripted;
    connector.onRequest.always(manual());
    const list = outcomeOf(pool.client.listResources());
    const other = outcomeOf(pool.request("tools/call", { name: "a" }));
    await clock.settle();
    expect(connector.requests.map(({ connection }) => connection)).toEqual([1, 2]);
    connector.pending[1]?.resolve({ content: [] });
    await clock.settle();
    connector.pending[0]?.resolve({ resources: [], nextCursor: "2" });
    await clock.settle();
    expect(sent(scripted)).toEqual(["1 first", "2 first", "1 2"]);
    connector.pending[0]?.resolve({ resources: [], nextCursor: "3" });
    await clock.settle();
    connector.pending[0]?.resolve({ resources: [] });
    await clock.settle();
    expect([list.state, other.state]).toEqual(["resolved", "resolved"]);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("let nobody else onto an exclusive connection between them, and give it back afterwards", async () => {
    const scripted = exclusivePool({ maxConnections: 1 });
    const { pool, connector, clock } = scripted;
    connector.onRequest.next(page("a", "2"), manual());
    const list = outcomeOf(pool.client.listResources());
    await clock.settle();
    const lease = outcomeOf(pool.acquire());
    await clock.settle();
    expect([sent(scripted), lease.state]).toEqual([["1 first", "1 2"], "pending"]);
    connector.pending[0]?.resolve({ resources: [] });
    await clock.settle();
    expect([list.state, lease.state]).toEqual(["resolved", "resolved"]);
    lease.value?.release();
  });

  it("begin anew on another connection when theirs is lost between them", async () => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    connector.onRequest.next(page("a", "2"), manual(), page("b", "2"), page("c"));
    const list = outcomeOf(pool.client.listResources());
    await clock.settle();
    connector.connection(1).die();
    await clock.settle();
    expect(sent(scripted)).toEqual(["1 first", "1 2", "2 first", "2 2"]);
    expect(list.value && namesOf(list.value)).toEqual(["b", "c"]);
  });

  it("do not begin anew for ever, nor when the server refuses one", async () => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    const lost = judged("outcome-unknown", "lost");
    connector.onRequest.next(page("a", "2"), lost, page("a", "2"), lost, page("a", "2"), lost);
    const list = outcomeOf(pool.client.listResources());
    await clock.advance(5_000);
    expect(list.error).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(connector.requests).toHaveLength(6);
    const refusal = new Error("no such cursor");
    connector.onRequest.next(page("a", "2"), judged("answered", "no such cursor", { cause: refusal }));
    await expect(pool.client.listResources()).rejects.toBe(refusal);
    expect(connector.requests).toHaveLength(8);
    expect(pool.stats().inFlight).toBe(0);
  });

  it.each(["resolves", "rejects"])(
    "begin anew when the session of their connection is renewed while a later page %s",
    async (ending) => {
      const scripted = scriptedPool();
      const { pool, connector, clock } = scripted;
      connector.onRequest.next(page("a", "2"), manual(), page("b", "2"), page("c"));
      const list = outcomeOf(pool.client.listResources());
      await clock.settle();
      connector.connection(1).tell({ type: "session-renewed" });
      const [second] = connector.pendingOf("request");
      if (ending === "resolves") second?.resolve({ resources: [{ uri: "test://x", name: "x" }] });
      else second?.reject(new RequestFailure("answered", "no such cursor", { cause: new Error("no such cursor") }));
      await clock.settle();
      expect(sent(scripted)).toEqual(["1 first", "1 2", "1 first", "1 2"]);
      expect(list.value && namesOf(list.value)).toEqual(["b", "c"]);
    },
  );

  it("begin anew when a first page that was asked of the former session arrives late, and only if there are others", async () => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    connector.onRequest.next(manual(), page("b", "2"), page("c"));
    const list = outcomeOf(pool.client.listResources());
    await clock.settle();
    connector.connection(1).tell({ type: "session-renewed" });
    connector.pendingOf("request")[0]?.resolve({ resources: [], nextCursor: "of the former session" });
    await clock.settle();
    expect(sent(scripted)).toEqual(["1 first", "1 first", "1 2"]);
    expect(list.value && namesOf(list.value)).toEqual(["b", "c"]);
    connector.onRequest.next(manual());
    const short = outcomeOf(pool.client.listResources());
    await clock.settle();
    connector.connection(1).tell({ type: "session-renewed" });
    connector.pendingOf("request")[0]?.resolve({ resources: [] });
    await clock.settle();
    expect([short.state, connector.requests.length]).toEqual(["resolved", 4]);
  });

  it("say so when the session is renewed in the middle again and again", async () => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    connector.onRequest.always(manual());
    const list = outcomeOf(pool.client.listResources());
    for (let times = 1; times <= 3; times++) {
      await clock.settle();
      connector.pendingOf("request")[0]?.resolve({ resources: [], nextCursor: "2" });
      await clock.settle();
      connector.connection(1).tell({ type: "session-renewed" });
      connector.pendingOf("request")[0]?.resolve({ resources: [] });
    }
    await clock.settle();
    expect(list.error).toMatchObject({ code: "SESSION_LOST", serverName: "files" });
    expect(connector.requests).toHaveLength(6);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("begin anew on a lease, too, whose connection stays the same", async () => {
    const scripted = scriptedPool();
    const { pool, connector, clock } = scripted;
    const lease = await pool.acquire();
    connector.onRequest.next(page("a", "2"), manual(), page("b", "2"), page("c"), page("a", "2"), manual());
    const list = outcomeOf(lease.client.listResources());
    await clock.settle();
    connector.connection(1).tell({ type: "session-renewed" });
    connector.pendingOf("request")[0]?.resolve({ resources: [] });
    await clock.settle();
    expect(sent(scripted)).toEqual(["1 first", "1 2", "1 first", "1 2"]);
    expect(list.value && namesOf(list.value)).toEqual(["b", "c"]);
    const lost = outcomeOf(lease.client.listResources());
    await clock.settle();
    connector.connection(1).die();
    await clock.settle();
    expect([lost.state, connector.requests.length]).toEqual(["rejected", 6]);
    lease.release();
  });

  it("have one time limit together, beginnings anew included", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next(
      { kind: "after", delayMs: 400, next: page("a", "2") },
      { kind: "after", delayMs: 400, next: judged("outcome-unknown", "lost") },
      { kind: "after", delayMs: 400, next: page("a", "2") },
    );
    const list = outcomeOf(pool.client.listResources({ timeoutMs: 1_000 }));
    await clock.advance(999);
    expect(list.state).toBe("pending");
    await clock.advance(1);
    expect(list.error).toMatchObject({ code: "TIMEOUT" });
  });

  it("leave no room taken when the work ends while its first request is still under way", async () => {
    const { pool, connector, clock } = scriptedPool({ maxRequestsPerConnection: 2, maxConnections: 1 });
    connector.onRequest.always(manual());
    const work = outcomeOf(
      pool.onOneConnection((requester) =>
        Promise.all([requester.request("resources/list", {}), requester.request("prompts/list", {})]),
      ),
    );
    await clock.settle();
    connector.pending[0]?.reject(judged("answered"));
    await clock.settle();
    expect(work.state).toBe("rejected");
    connector.pending[0]?.resolve({ prompts: [] });
    await clock.settle();
    expect(pool.stats().inFlight).toBe(0);
  });
});
