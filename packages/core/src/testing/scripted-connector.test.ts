import { describe, expect, it } from "vitest";
import type { ConnectRequest } from "../connector.ts";
import { FakeClock } from "./fake-clock.ts";
import { after, fail, hang, judged, manual, ok, throwing, untilAborted } from "./script.ts";
import { ScriptedConnector } from "./scripted-connector.ts";

function connectRequest(signal: AbortSignal = new AbortController().signal): ConnectRequest {
  return { serverName: "files", identity: undefined, signal, timeoutMs: 1_000 };
}

function signalOf(controller = new AbortController()): { signal: AbortSignal } {
  return { signal: controller.signal };
}

function bench() {
  const clock = new FakeClock();
  const connector = new ScriptedConnector({ clock });
  return { clock, connector };
}

describe("ScriptedConnector", () => {
  it("opens, answers, probes and closes at once unless told otherwise, and records it", async () => {
    const { connector } = bench();
    const request = connectRequest();
    const connection = await connector.connect(request);
    expect(connector.connects).toEqual([request]);
    expect(await connection.request("tools/list", { a: 1 }, signalOf())).toEqual({ tools: [] });
    await connection.probe(new AbortController().signal);
    expect(connection.requests).toMatchObject([{ connection: 1, method: "tools/list", params: { a: 1 } }]);
    expect(connection.probes).toBe(1);
    expect(connector.live).toEqual([connection]);
    await connection.close("idle");
    expect(connection.closes).toEqual(["idle"]);
    expect(connector.live).toEqual([]);
  });

  it("plays the next steps one by one, and then the usual one", async () => {
    const { connector } = bench();
    const connection = await connector.connect(connectRequest());
    const error = new Error("no");
    connector.onRequest.next(fail(error), throwing(error), ok({ a: 1 })).always(({ method }) => ok(method));
    await expect(connection.request("x", undefined, signalOf())).rejects.toBe(error);
    expect(() => connection.request("x", undefined, signalOf())).toThrow(error);
    expect(await connection.request("x", undefined, signalOf())).toEqual({ a: 1 });
    expect(await connection.request("y", undefined, signalOf())).toBe("y");
    connector.onRequest.always(judged("overloaded", "later", { retryAfterMs: 5 }));
    await expect(connection.request("x", undefined, signalOf())).rejects.toMatchObject({
      judgement: "overloaded",
      retryAfterMs: 5,
    });
  });

  it("delays by its clock, unless the signal aborts before", async () => {
    const { connector, clock } = bench();
    connector.onConnect.always(after(100));
    const controller = new AbortController();
    const given = connector.connect(connectRequest(controller.signal));
    const opened = connector.connect(connectRequest());
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    expect(clock.pending).toHaveLength(1);
    await clock.advance(100);
    expect((await opened).id).toBe(2);
    await expect(connector.connect(connectRequest(controller.signal))).rejects.toBe(reason);
    expect(clock.pending).toEqual([]);
  });

  it("judges an aborted request as aborted", async () => {
    const { connector } = bench();
    const connection = await connector.connect(connectRequest());
    connector.onRequest.always(untilAborted());
    const controller = new AbortController();
    const request = connection.request("x", undefined, signalOf(controller));
    controller.abort("enough");
    await expect(request).rejects.toMatchObject({ judgement: "aborted", cause: "enough" });
  });

  it("lets the test end pending calls in any order", async () => {
    const { connector } = bench();
    connector.onConnect.always(manual());
    const openings = [connector.connect(connectRequest()), connector.connect(connectRequest())];
    const [first, second] = connector.pending;
    second?.resolve();
    expect((await openings[1])?.id).toBe(2);
    expect(connector.pending).toEqual([first]);
    first?.reject(new Error("refused"));
    await expect(openings[0]).rejects.toThrow("refused");
    expect(connector.pendingOf("connect")).toEqual([]);
  });

  it("counts what is opening, open or closing, and keeps the peak", async () => {
    const { connector } = bench();
    connector.onConnect.next(manual(), fail(new Error("no")), throwing(new Error("no"))).always(hang());
    const opening = connector.connect(connectRequest());
    await expect(connector.connect(connectRequest())).rejects.toThrow("no");
    expect(() => connector.connect(connectRequest())).toThrow("no");
    void connector.connect(connectRequest());
    expect([connector.occupied, connector.peak]).toEqual([2, 2]);
    connector.pending[0]?.resolve();
    const connection = await opening;
    connector.onClose.always(manual());
    const closing = connection.close("idle");
    expect([connector.occupied, connector.live.length]).toEqual([2, 1]);
    connector.pending[0]?.resolve();
    await closing;
    expect([connector.occupied, connector.live.length, connector.peak]).toEqual([1, 0, 2]);
  });

  it("loses what is in flight when a connection dies, and tells who listens", async () => {
    const { connector, clock } = bench();
    const connection = await connector.connect(connectRequest());
    connector.onRequest.next(manual(), after(50), untilAborted());
    const requests = ["a", "b", "c"].map((method) => connection.request(method, undefined, signalOf()));
    const told: unknown[] = [];
    connection.onClosed((cause) => told.push(cause));
    expect([connection.inFlight, connection.listenerCount]).toEqual([3, 1]);
    const crash = new Error("crash");
    connection.die(crash);
    connection.die(crash);
    for (const request of requests) await expect(request).rejects.toMatchObject({ judgement: "outcome-unknown" });
    connection.onClosed((cause) => told.push(cause));
    expect(told).toEqual([crash, crash]);
    expect([connection.inFlight, connection.peakInFlight, connection.listenerCount]).toEqual([0, 3, 0]);
    expect([connector.pending, clock.pending]).toEqual([[], []]);
    await expect(connection.request("d", undefined, signalOf())).rejects.toMatchObject({ judgement: "not-sent" });
  });

  it("hands notifications to those who listen", async () => {
    const { connector } = bench();
    const connection = await connector.connect(connectRequest());
    const heard: string[] = [];
    const unsubscribe = connection.onNotification(({ method }) => heard.push(method));
    connection.notify({ method: "a" });
    unsubscribe();
    connection.notify({ method: "b" });
    expect(heard).toEqual(["a"]);
  });

  it("tells on those who close twice", async () => {
    const { connector } = bench();
    const connection = await connector.connect(connectRequest());
    const closing = connection.close("idle");
    expect(connection.close("lost")).toBe(closing);
    await closing;
    expect(connection.closes).toEqual(["idle", "lost"]);
    expect(connector.closedTwice).toEqual([connection]);
  });

  it("returns rubbish where the script says so", async () => {
    const { connector } = bench();
    connector.onConnect.always(ok(0));
    expect(await connector.connect(connectRequest())).toBe(0);
    expect([connector.connections, connector.occupied]).toEqual([[], 0]);
  });
});
