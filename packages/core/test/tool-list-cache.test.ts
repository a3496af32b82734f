import { describe, expect, it } from "vitest";
import { judged, ok } from "../src/testing/index.ts";
import { outcomeOf, scriptedPool } from "./scripted-pool.ts";

function tools(...names: string[]) {
  return ok({ tools: names.map((name) => ({ name, inputSchema: { type: "object" } })) });
}

function namesOf({ tools }: { readonly tools: readonly { readonly name: string }[] }): string[] {
  return tools.map(({ name }) => name);
}

describe("the list of tools", () => {
  it("is fetched once for all who ask, and then comes from the cache", async () => {
    const { pool, connector } = scriptedPool();
    connector.onRequest.always(tools("a", "b"));
    const lists = await Promise.all([pool.listTools(), pool.listTools()]);
    lists.push(await pool.listTools());
    expect(lists.map(namesOf)).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(connector.requests.map(({ method }) => method)).toEqual(["tools/list"]);
  });

  it("is fetched with every page", async () => {
    const { pool, connector } = scriptedPool();
    connector.onRequest.next(ok({ tools: [{ name: "a", inputSchema: {} }], nextCursor: "2" }), tools("b"));
    expect(namesOf(await pool.listTools())).toEqual(["a", "b"]);
    expect(connector.requests[1]?.params).toEqual({ cursor: "2" });
  });

  it("is fetched again after toolListTtlMs", async () => {
    const { pool, connector, clock } = scriptedPool({ toolListTtlMs: 1_000 });
    await pool.listTools();
    await clock.advance(999);
    await pool.listTools();
    expect(connector.requests).toHaveLength(1);
    await clock.advance(1);
    await pool.listTools();
    expect(connector.requests).toHaveLength(2);
  });

  it("is fetched again when the server says that it has changed", async () => {
    const { pool, connector } = scriptedPool();
    connector.onRequest.next(tools("a"), tools("b"));
    await pool.listTools();
    connector.connection(1).notify({ method: "notifications/resources/list_changed" });
    expect(namesOf(await pool.listTools())).toEqual(["a"]);
    connector.connection(1).notify({ method: "notifications/tools/list_changed" });
    expect(namesOf(await pool.listTools())).toEqual(["b"]);
  });

  it.each([
    ["again when a new connection meets a server of another version", "2.0.0", 2],
    ["only once when a new connection meets the same server", "1.0.0", 1],
  ])("is fetched %s", async (_what, version, fetches) => {
    const { pool, connector, clock } = scriptedPool();
    await pool.listTools();
    connector.server = { ...connector.server, version };
    connector.connection(1).die();
    await clock.settle();
    await pool.request("ping");
    await pool.listTools();
    expect(connector.requests.filter(({ method }) => method === "tools/list")).toHaveLength(fetches);
  });

  it("is fetched again after a time without a connection, on servers that announce changes", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.server = { ...connector.server, capabilities: { tools: { listChanged: true } } };
    connector.onRequest.next(tools("a"), tools("b"));
    expect(namesOf(await pool.listTools())).toEqual(["a"]);
    const lease = await pool.acquire();
    connector.connection(1).die();
    lease.release();
    await clock.settle();
    await pool.acquire().then((each) => each.release());
    expect(namesOf(await pool.listTools())).toEqual(["b"]);
    expect(namesOf(await pool.listTools())).toEqual(["b"]);
    expect(connector.requests).toHaveLength(2);
  });

  it("stays while another connection would have heard of a change", async () => {
    const { pool, connector, clock } = scriptedPool({ maxRequestsPerConnection: 1 });
    connector.server = { ...connector.server, capabilities: { tools: { listChanged: true } } };
    await pool.listTools();
    const leases = [await pool.acquire(), await pool.acquire()];
    connector.connection(1).die();
    await clock.settle();
    leases.push(await pool.acquire());
    expect(connector.connects).toHaveLength(3);
    await pool.listTools();
    expect(connector.requests).toHaveLength(1);
    for (const lease of leases) lease.release();
  });

  it("is fetched for a caller alone who sends headers, since they may decide what the server shows", async () => {
    const { pool, connector } = scriptedPool();
    connector.onRequest.next(tools("a"), tools("b"));
    await pool.listTools();
    expect(namesOf(await pool.listTools({ headers: { "x-tenant": "b" } }))).toEqual(["b"]);
    expect(connector.requests[1]?.options.headers).toEqual({ "x-tenant": "b" });
    expect(namesOf(await pool.listTools())).toEqual(["a"]);
  });

  it("is not kept when the fetch fails", async () => {
    const { pool, connector } = scriptedPool();
    const error = new Error("Internal error");
    connector.onRequest.next(judged("answered", "Internal error", { cause: error }), tools("a"));
    await expect(pool.listTools()).rejects.toBe(error);
    expect(namesOf(await pool.listTools())).toEqual(["a"]);
  });

  it("lets a caller stop waiting, and the fetch go on for the others", async () => {
    const { pool, connector, clock } = scriptedPool();
    connector.onRequest.next({ kind: "after", delayMs: 1_000, next: tools("a") });
    const controller = new AbortController();
    const aborted = outcomeOf(pool.listTools({ signal: controller.signal }));
    const late = outcomeOf(pool.listTools({ timeoutMs: 500 }));
    const patient = outcomeOf(pool.listTools());
    await clock.settle();
    controller.abort("enough");
    await clock.advance(1_000);
    expect(aborted.error).toBe("enough");
    expect(late.error).toMatchObject({ code: "TIMEOUT" });
    expect(patient.state).toBe("resolved");
  });
});
