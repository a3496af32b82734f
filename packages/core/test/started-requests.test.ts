import { describe, expect, it, onTestFinished } from "vitest";
import { McpConnectionPool, type RequestEnd, RequestFailure, type StartRequest } from "../src/index.ts";
import { EventRecorder, FakeClock, outcomeOf, ScriptedConnector } from "../src/testing/index.ts";

/** A pool of one connection that starts requests without promises, as the given function does. */
async function poolOf(startRequest: StartRequest) {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock });
  const connect = async (...given: Parameters<typeof connector.connect>) =>
    Object.assign(await connector.connect(...given), { startRequest });
  const pool = new McpConnectionPool({ connect }, { name: "files", maxConnections: 1, minConnections: 0 }, [], {
    clock,
  });
  onTestFinished(() => pool.close());
  return { pool, connector, recorder: new EventRecorder(pool), settle: () => clock.settle() };
}

const aborted = new RequestFailure("aborted", "aborted", { lateAnswer: Promise.resolve(true) });

describe("a connection that starts requests without promises", () => {
  it("may answer while it sends", async () => {
    const { pool, connector } = await poolOf((method, params, _options, end) => {
      end.onResult({ method, params });
      return { abort: () => {} };
    });
    expect(await pool.request("a", { b: 1 })).toEqual({ method: "a", params: { b: 1 } });
    expect(await pool.request("c")).toEqual({ method: "c", params: undefined });
    expect(connector.requests).toEqual([]);
    expect(pool.stats()).toMatchObject({ inFlight: 0, counters: { requests: 2, created: 1 } });
  });

  it("is told of a caller who goes while it sends, once it has sent", async () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const { pool, settle } = await poolOf((_method, _params, _options, end) => {
      controller.abort("enough");
      expect(reasons).toEqual([]);
      return {
        abort: (reason) => {
          reasons.push(reason);
          end.onFailure(aborted);
        },
      };
    });
    const call = outcomeOf(pool.request("a", undefined, { signal: controller.signal }));
    await settle();
    expect([call.error, reasons, pool.stats().inFlight]).toEqual(["enough", ["enough"], 0]);
  });

  it("tells of a caller's going before the room of the request is free, though it fails at once", async () => {
    const controller = new AbortController();
    const { pool, recorder, settle } = await poolOf((_method, _params, _options, end) => ({
      abort: () => end.onFailure(new RequestFailure("aborted", "closed")),
    }));
    const inFlight: number[] = [];
    pool.subscribe(() => inFlight.push(pool.stats().inFlight), ["request-finished"]);
    const call = outcomeOf(pool.request("a", undefined, { signal: controller.signal }));
    await settle();
    controller.abort("enough");
    await settle();
    expect([call.error, inFlight, pool.stats().inFlight]).toEqual(["enough", [1], 0]);
    expect(recorder.of("request-finished")).toMatchObject([{ judgement: "aborted" }]);
  });

  it("loses its requests before it tells of its end, and still counts as lost", async () => {
    const ends: RequestEnd[] = [];
    const { pool, connector, recorder, settle } = await poolOf((_method, _params, _options, end) => {
      ends.push(end);
      return { abort: () => {} };
    });
    const call = outcomeOf(pool.request("a"));
    await settle();
    ends[0]?.onFailure(new RequestFailure("outcome-unknown", "gone"));
    connector.connection(1).die();
    await settle();
    expect(call.error).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(recorder.of("connection-closed")).toMatchObject([{ reason: "lost" }]);
    expect(pool.stats().inFlight).toBe(0);
  });

  it("is asked once, though it returns nothing", async () => {
    const methods: string[] = [];
    const careless = (method: string, _params: unknown, _options: unknown, end: RequestEnd) => {
      methods.push(method);
      end.onResult("done");
    };
    const { pool, connector } = await poolOf(careless as unknown as StartRequest);
    expect(await pool.request("a")).toBe("done");
    expect([methods, connector.requests]).toEqual([["a"], []]);
  });
});
