import { describe, expect, it } from "vitest";
import type { ClientHandlers, ConnectRequest, ElicitResult, HandlerContext } from "../src/index.ts";
import { manual, ok, untilAborted } from "../src/testing/index.ts";
import { scriptedManager } from "./scripted-manager.ts";
import { exclusivePool, outcomeOf, scriptedPool } from "./scripted-pool.ts";

const QUESTION = { message: "Which one?", requestedSchema: { type: "object" as const } };

function answering(text: string): ClientHandlers {
  return { elicitation: () => ({ action: "accept", content: { text } }) };
}

/** Has the server ask over a connection, as its connector would pass that on. */
async function ask({ handlers }: Pick<ConnectRequest, "handlers">): Promise<unknown> {
  const context: HandlerContext = { serverName: "files", identity: undefined, signal: new AbortController().signal };
  const answer: ElicitResult | undefined = await handlers?.elicitation?.(QUESTION, context);
  return answer?.content?.text;
}

function kindsOf({ handlers = {} }: Pick<ConnectRequest, "handlers">): string[] {
  return Object.keys(handlers).sort();
}

describe("handlers of a pool", () => {
  it("are what its connections announce, and nothing is announced without them", async () => {
    const features = { roots: { listChanged: true } };
    const some = scriptedPool({ handlers: { ...answering("a"), roots: () => [], features } });
    await some.pool.warmUp();
    await some.pool.request("ping");
    expect(kindsOf(some.connector.connects[0] ?? {})).toEqual(["elicitation", "features", "roots"]);
    expect(some.connector.connects[0]?.handlers?.features).toBe(features);
    const none = scriptedPool();
    await none.pool.request("ping");
    expect(none.connector.connects[0]?.handlers).toBeUndefined();
  });

  it("answer on shared connections, with lists and without", async () => {
    const { pool, connector } = scriptedPool({
      handlers: { ...answering("pool"), roots: () => [{ uri: "file:///a" }] },
    });
    await pool.request("ping");
    const { handlers } = connector.connects[0] ?? {};
    expect(await ask({ handlers })).toBe("pool");
    const context = { serverName: "files", identity: undefined, signal: new AbortController().signal };
    expect(await handlers?.roots?.(context)).toEqual([{ uri: "file:///a" }]);
  });

  it("tell of what they throw, and the server gets it", async () => {
    const error = new Error("the user is away");
    const elicitation = () => {
      throw error;
    };
    const { pool, connector, recorder } = scriptedPool({ handlers: { elicitation } });
    await pool.request("ping");
    await expect(ask(connector.connects[0] ?? {})).rejects.toBe(error);
    expect(recorder.of("handler-failed")).toMatchObject([{ connectionId: 1, kind: "elicitation", error }]);
  });

  it.each([
    [{ sampling: 1 }, "handlers sampling must be a function, not number"],
    [{ sample: () => {} }, 'handlers has no kind "sample"; there are sampling, elicitation, roots'],
    [null, "handlers must be an object with functions by kind: sampling, elicitation, roots"],
  ])("are refused when they are none: %j", (handlers, message) => {
    const setup = { handlers: handlers as ClientHandlers };
    const [path = "", ...words] = message.split(" ");
    expect(() => scriptedPool(setup)).toThrow(
      expect.objectContaining({ issues: [{ path, message: words.join(" ") }] }),
    );
  });
});

describe("handlers of a lease", () => {
  it("answer while an exclusive lease is held, and the pool's do before and after", async () => {
    const { pool, connector } = exclusivePool({ handlers: answering("pool"), maxConnections: 1 });
    const first = await pool.acquire({ handlers: answering("first") });
    const request = connector.connects[0] ?? {};
    expect(await ask(request)).toBe("first");
    first.release();
    expect(await ask(request)).toBe("pool");
    const second = await pool.acquire({ handlers: answering("second") });
    expect(await ask(request)).toBe("second");
    second.release();
    const third = await pool.acquire();
    expect(await ask(request)).toBe("pool");
    third.release();
  });

  it("are refused on a shared connection of the earlier protocol, and take no room", async () => {
    const { pool } = scriptedPool({ handlers: answering("pool") });
    const refusal = { code: "VALIDATION_FAILED", message: expect.stringContaining('need sharing "exclusive"') };
    await expect(pool.acquire({ handlers: answering("lease") })).rejects.toMatchObject(refusal);
    await expect(pool.acquire({ handlers: answering("lease") })).rejects.toMatchObject(refusal);
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
  });

  it("are refused for what the server was not told of", async () => {
    const { pool } = exclusivePool();
    await expect(pool.acquire({ handlers: answering("lease") })).rejects.toThrow(
      "answer elicitation, which the server was not told of: name it in leaseHandlers",
    );
    expect(pool.stats()).toMatchObject({ leases: 0, inFlight: 0 });
  });

  it("may be the only ones; without a lease the server is told that nobody answers", async () => {
    const { pool, connector } = exclusivePool({ leaseHandlers: ["elicitation"] });
    const lease = await pool.acquire({ handlers: answering("lease") });
    expect(await ask(connector.connects[0] ?? {})).toBe("lease");
    lease.release();
    await expect(ask(connector.connects[0] ?? {})).rejects.toMatchObject({ code: -32_601 });
  });

  it("are passed along with each request where the protocol ties questions to requests", async () => {
    const { pool, connector } = scriptedPool({ handlers: { ...answering("pool"), roots: () => [] } });
    connector.era = "modern";
    const lease = await pool.acquire({ handlers: answering("lease") });
    await lease.request("ping");
    await lease.request("ping", undefined, { handlers: answering("call") });
    await pool.request("ping");
    lease.release();
    const bare = await pool.acquire();
    await bare.request("ping");
    bare.release();
    const [ofLease, ofCall, ofPool, ofBareLease] = connector.requests.map(({ options }) => options);
    expect(kindsOf(ofLease ?? {})).toEqual(expect.arrayContaining(["elicitation", "roots"]));
    const answers = [ofLease, ofCall, ofPool, ofBareLease].map((options) => ask(options ?? {}));
    expect(await Promise.all(answers)).toEqual(["lease", "call", "pool", "pool"]);
  });
});

describe("handlers of a call", () => {
  it("answer on an exclusive connection while the call is under way, before those of its lease", async () => {
    const { pool, connector, clock } = exclusivePool({ handlers: answering("pool") });
    connector.onRequest.always(manual());
    const lease = await pool.acquire({ handlers: answering("lease") });
    const call = outcomeOf(lease.request("tools/call", { name: "a" }, { handlers: answering("call") }));
    await clock.settle();
    expect(await ask(connector.connects[0] ?? {})).toBe("call");
    connector.pending[0]?.resolve({ content: [] });
    await clock.settle();
    expect(call.state).toBe("resolved");
    expect(await ask(connector.connects[0] ?? {})).toBe("lease");
    lease.release();
  });

  it("leave it to the lease when several of its calls bring some", async () => {
    const { pool, connector, clock } = exclusivePool({ handlers: answering("pool") });
    connector.onRequest.always(manual());
    const lease = await pool.acquire({ handlers: answering("lease") });
    for (const text of ["one", "two"]) outcomeOf(lease.request("ping", undefined, { handlers: answering(text) }));
    await clock.settle();
    expect(await ask(connector.connects[0] ?? {})).toBe("lease");
    for (const each of connector.pending) each.resolve({});
    await clock.settle();
    lease.release();
  });

  it("no longer answer once their caller has gone", async () => {
    const { pool, connector, clock } = exclusivePool({ handlers: answering("pool") });
    connector.onRequest.always(untilAborted());
    const controller = new AbortController();
    const handlers = answering("call");
    const call = outcomeOf(pool.request("tools/call", { name: "a" }, { handlers, signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(call.state).toBe("rejected");
    expect(await ask(connector.connects[0] ?? {})).toBe("pool");
  });

  it("are refused on a shared connection of the earlier protocol, before anything is sent", async () => {
    const { pool, connector } = scriptedPool({ handlers: answering("pool") });
    const call = pool.request("tools/call", { name: "a" }, { handlers: answering("call") });
    await expect(call).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect(connector.requests).toEqual([]);
    expect(pool.stats()).toMatchObject({ inFlight: 0, connections: { total: 1 } });
  });
});

describe("a manager", () => {
  it("gives handlers of a kind that its server is not told of a pool that tells it", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: { pool: { handlers: { roots: () => [] } } } } });
    await manager.callTool("files", { name: "a" });
    const lease = await manager.acquire("files", { sharing: "exclusive", handlers: answering("lease") });
    expect(connector.connects.map(kindsOf)).toEqual([["roots"], ["elicitation", "roots"]]);
    expect(await ask(connector.connects[1] ?? {})).toBe("lease");
    lease.release();
    const again = await manager.acquire("files", { sharing: "exclusive", handlers: answering("again") });
    expect(connector.connects).toHaveLength(2);
    again.release();
    await manager.reload({ servers: { files: { connector, pool: { minConnections: 0 } } } });
    expect(manager.poolsOf("files")).toHaveLength(2);
  });

  it("finds such a pool for a call to an exclusive server, too", async () => {
    const { manager, connector } = scriptedManager({ servers: { files: { pool: { sharing: "exclusive" } } } });
    const asked: Promise<unknown>[] = [];
    connector.onRequest.next(() => {
      asked.push(ask(connector.connects[0] ?? {}));
      return ok();
    });
    await manager.callTool("files", { name: "a" }, { handlers: answering("call") });
    expect(await Promise.all(asked)).toEqual(["call"]);
  });

  it("says what is wrong with handlers that are none", async () => {
    const { manager } = scriptedManager({ servers: { files: {} } });
    const handlers = 5 as ClientHandlers;
    const refusal = { code: "VALIDATION_FAILED", message: expect.stringContaining("handlers must be an object") };
    await expect(manager.acquire("files", { sharing: "exclusive", handlers })).rejects.toMatchObject(refusal);
    await expect(manager.callTool("files", { name: "a" }, { handlers })).rejects.toMatchObject(refusal);
  });
});
