import { modernStdioServer, RESOURCE_URI } from "@mcp-pool/modern-test-server";
import { describe, expect, test } from "vitest";
import { stdioConnector } from "../src/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { eventually, failureOf, never, open, SLOW } from "./connecting.ts";
import { heard, modern, openModern } from "./modern.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";
const LISTEN = "subscriptions/listen";

describe("what a modern server announces", SLOW, () => {
  test("comes over one stream for all connections of an identity, and to each of them", async () => {
    const { server, connector } = await modern();
    const connections = await Promise.all(
      ["ada", "ada", "ada", "bob"].map((identity) => open(connector, { identity })),
    );
    await eventually(() => server.openResponses(LISTEN)).toBe(2);
    const notes = connections.map((connection) => heard(connection, TOOLS_CHANGED));
    server.addTool("extra");
    await eventually(() => notes.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
    expect(server.requests.get(LISTEN)).toBe(2);
  });

  test("goes on when the connection that carried the stream is closed, and lists are taken for changed meanwhile", async () => {
    const { server, connector } = await modern();
    const first = await open(connector);
    const second = await open(connector);
    await eventually(() => server.openResponses(LISTEN)).toBe(1);
    const notes = heard(second, TOOLS_CHANGED);
    await first.close("idle");
    await eventually(() => notes.length).toBe(1);
    expect(server.openResponses(LISTEN)).toBe(1);
    server.addTool("extra");
    await eventually(() => notes.length).toBe(2);
    await second.close("idle");
    await eventually(() => server.openResponses(LISTEN)).toBe(0);
  });

  test.each([
    ["is cut", async (server: Awaited<ReturnType<typeof modern>>["server"]) => void server.cut(LISTEN)],
    ["is ended in order", async (server: Awaited<ReturnType<typeof modern>>["server"]) => server.endSubscriptions()],
    [
      "goes down with the server, which comes back",
      async (server: Awaited<ReturnType<typeof modern>>["server"]) => {
        await server.stop();
        await server.start();
      },
    ],
  ])("is heard again when the stream %s, and what was missed is told as a change", async (_, upset) => {
    const { server, connector } = await modern();
    const connections = await Promise.all([open(connector), open(connector)]);
    await eventually(() => server.openResponses(LISTEN)).toBe(1);
    const tools = connections.map((connection) => heard(connection, TOOLS_CHANGED));
    const prompts = connections.map((connection) => heard(connection, "notifications/prompts/list_changed"));
    const resources = connections.map((connection) => heard(connection, "notifications/resources/list_changed"));
    await upset(server);
    const lengths = (notes: readonly { readonly length: number }[]) => notes.map(({ length }) => length);
    await eventually(() => [tools, prompts, resources].map(lengths)).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    await eventually(() => server.openResponses(LISTEN)).toBe(1);
    server.addTool("extra");
    await eventually(() => lengths(tools)).toEqual([2, 2]);
  });

  test("makes the cached list stale on every connection, also when it was missed", async () => {
    const { server, connector } = await modern({}, { ttlMs: 60_000 });
    const [first, second] = await Promise.all([open(connector), open(connector)]);
    await eventually(() => server.openResponses(LISTEN)).toBe(1);
    const names = async (connection = first): Promise<string[]> => {
      const result = await connection.request("tools/list", undefined, { signal: never() });
      return (result as { tools: { name: string }[] }).tools.map(({ name }) => name);
    };
    expect(await names()).not.toContain("extra");
    const notes = heard(second, TOOLS_CHANGED);
    server.addTool("extra");
    await eventually(() => notes.length).toBe(1);
    expect(await names(second)).toContain("extra");
    expect(await names(first)).toContain("extra");
    expect(server.requests.get("tools/list")).toBe(2);

    server.backend.addedTools.add("unannounced");
    server.cut(LISTEN);
    await eventually(() => notes.length).toBe(2);
    expect(await names(first)).toContain("unannounced");
  });

  test("of a resource reaches the connection that subscribed to it, until it unsubscribes", async () => {
    const { server, connector } = await modern();
    const [carrier, subscriber, other] = [await open(connector), await open(connector), await open(connector)];
    const notes = [subscriber, other].map((connection) => heard(connection, UPDATED));
    const ask = (method: string) => subscriber.request(method, { uri: RESOURCE_URI }, { signal: never() });
    expect(await ask("resources/subscribe")).toEqual({});
    server.changeResource("second");
    await eventually(() => notes.map(({ length }) => length)).toEqual([1, 0]);
    expect(notes[0]?.[0]?.params).toMatchObject({ uri: RESOURCE_URI });
    server.cut(LISTEN);
    await eventually(() => notes.map(({ length }) => length)).toEqual([2, 0]);
    expect(await ask("resources/unsubscribe")).toEqual({});
    await eventually(() => server.openResponses(LISTEN)).toBe(1);
    await carrier.close("idle");
    expect(server.requests.has("resources/subscribe")).toBe(false);
  });

  test("is not listened to where that is switched off, save for resources that somebody subscribes to", async () => {
    const { server, connection } = await openModern({ listen: false });
    const notes = heard(connection, UPDATED);
    const tools = heard(connection, TOOLS_CHANGED);
    // By then a stream would be open.
    await connection.request("tools/list", {}, { signal: never() });
    expect(server.requests.has(LISTEN)).toBe(false);
    await connection.request("resources/subscribe", { uri: RESOURCE_URI }, { signal: never() });
    server.addTool("extra");
    server.changeResource("second");
    await eventually(() => notes.length).toBe(1);
    expect(tools).toEqual([]);
  });

  test("is not listened for any longer once nobody waits for the subscription, unless it was in force before", async () => {
    const { server, connection } = await openModern();
    const listened = () =>
      server
        .openParams(LISTEN)
        .map((params) => (params?.notifications as Record<string, unknown>)?.resourceSubscriptions);
    await eventually(listened).toEqual([undefined]);
    const subscribe = (uri: string, signal: AbortSignal) =>
      connection.request("resources/subscribe", { uri }, { signal });
    const giveUp = async (uri: string): Promise<void> => {
      const controller = new AbortController();
      const subscribing = subscribe(uri, controller.signal);
      controller.abort(new Error("enough"));
      expect(await failureOf(subscribing)).toMatchObject({ judgement: "aborted" });
    };
    await giveUp("test://given-up");
    await eventually(listened).toEqual([undefined]);
    await subscribe(RESOURCE_URI, never());
    await giveUp(RESOURCE_URI);
    await subscribe("test://other", never());
    await eventually(listened).toEqual([[RESOURCE_URI, "test://other"]]);
    const notes = heard(connection, UPDATED);
    server.changeResource("second");
    await eventually(() => notes.length).toBe(1);
  });

  test("outlives a caller who gives up a subscription that had been taken back before", async () => {
    const { server, connection } = await openModern();
    const ask = (method: string, signal: AbortSignal = never()) =>
      connection.request(method, { uri: RESOURCE_URI }, { signal });
    const controller = new AbortController();
    const first = failureOf(ask("resources/subscribe", controller.signal));
    const others = Promise.all([ask("resources/unsubscribe"), ask("resources/subscribe")]);
    controller.abort(new Error("enough"));
    expect(await first).toMatchObject({ judgement: "aborted" });
    expect(await others).toEqual([{}, {}]);
    const notes = heard(connection, UPDATED);
    server.changeResource("second");
    await eventually(() => notes.length).toBe(1);
  });

  test("cannot be subscribed to while the server is gone, and the refusal says so", async () => {
    const { server, connection } = await openModern({ listen: false });
    await server.stop();
    const subscribing = connection.request("resources/subscribe", { uri: RESOURCE_URI }, { signal: never() });
    expect(await failureOf(subscribing)).toMatchObject({ judgement: "not-sent" });
  });

  test("is listened to by each process over stdio", async () => {
    const connector = stdioConnector({ ...modernStdioServer(), sdk: sdkV2() });
    const connection = await open(connector);
    const subscribing = connection.request("resources/subscribe", { uri: RESOURCE_URI }, { signal: never() });
    expect(await subscribing).toEqual({});
  });
});
