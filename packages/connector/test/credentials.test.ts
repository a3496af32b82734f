import { startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HeadersRequest, httpConnector } from "../src/http/index.ts";
import { stdioConnector } from "../src/stdio/index.ts";
import { callForJson, callTool, connectRequest, failureOf, never, open, SLOW } from "./connecting.ts";

async function startServer(bearerToken?: string) {
  const server = await startHttpTestServer({ ...(bearerToken !== undefined && { bearerToken }) });
  onTestFinished(() => server.close());
  return server;
}

describe("headers that a function supplies", SLOW, () => {
  test("are those of the connection's identity, anew for each request", async () => {
    const server = await startServer();
    let asked = 0;
    const connector = httpConnector({
      url: server.url,
      headers: async ({ serverName, identity }) => ({
        "x-user": `${serverName}/${identity}`,
        "x-turn": String(++asked),
      }),
    });
    const [ann, bob] = [await open(connector, { identity: "ann" }), await open(connector, { identity: "bob" })];
    const seen = async (connection: typeof ann) => {
      const { headers } = await callForJson(connection, "session-info", { headers: ["x-user", "x-turn"] });
      return headers as Record<string, string>;
    };
    const first = await seen(ann);
    expect(first["x-user"]).toBe("test/ann");
    expect((await seen(bob))["x-user"]).toBe("test/bob");
    expect(Number((await seen(ann))["x-turn"])).toBeGreaterThan(Number(first["x-turn"]));
  });

  test("are asked for once by requests that ask at one time", async () => {
    const server = await startServer();
    let asked = 0;
    let isSlow = false;
    const headers = async (): Promise<Record<string, string>> => {
      asked++;
      if (isSlow) await new Promise((resolve) => setTimeout(resolve, 50));
      return { "x-token": String(asked) };
    };
    const connector = httpConnector({ url: server.url, headers });
    const connections = [await open(connector), await open(connector)];
    await connections[0]?.probe(never());
    isSlow = true;
    asked = 0;
    const calls = Array.from({ length: 40 }, (_, index) => connections[index % 2]?.probe(never()));
    await Promise.all(calls);
    expect(asked).toBe(1);
  });

  test("are asked for again, once for all, when the server answers 401", async () => {
    const server = await startServer("old");
    let token = "old";
    const refusals: HeadersRequest[] = [];
    const headers = async (request: HeadersRequest): Promise<Record<string, string>> => {
      if (request.isRefused) {
        refusals.push(request);
        await new Promise((resolve) => setTimeout(resolve, 30));
        token = "new";
      }
      return { authorization: `Bearer ${token}` };
    };
    const connector = httpConnector({ url: server.url, headers });
    const connections = [await open(connector, { identity: "ann" }), await open(connector, { identity: "ann" })];
    server.requireBearerToken("new");
    const calls = Array.from({ length: 30 }, (_, index) => {
      const connection = connections[index % 2] ?? connections[0];
      return connection === undefined ? undefined : callTool(connection, "echo", { message: `${index}` });
    });
    await Promise.all(calls);
    expect(refusals).toEqual([{ serverName: "test", identity: "ann", isRefused: true }]);
  });

  test("that are refused again, and those of one call, are refused for good", async () => {
    const server = await startServer("right");
    let asked = 0;
    const headers = ({ isRefused }: HeadersRequest): Record<string, string> => {
      if (isRefused) asked++;
      return { authorization: "Bearer right" };
    };
    const connection = await open(httpConnector({ url: server.url, headers }));
    const params = { name: "echo", arguments: { message: "" } };
    const wrong = { authorization: "Bearer wrong" };
    const own = connection.request("tools/call", params, { signal: never(), headers: wrong });
    expect(await failureOf(own)).toMatchObject({ judgement: "unauthorised" });
    expect(asked).toBe(0);
    server.requireBearerToken("another");
    expect(await failureOf(callTool(connection, "echo", { message: "" }))).toMatchObject({ judgement: "unauthorised" });
    expect(asked).toBe(1);
  });

  test("fail their request, not sent, when the function fails or supplies what no header may hold", async () => {
    const server = await startServer();
    let make = (): Record<string, string> => ({ "x-fine": "1" });
    const connector = httpConnector({ url: server.url, headers: () => make() });
    const connection = await open(connector);
    make = () => {
      throw new Error("the vault is closed");
    };
    const failure = await failureOf(callTool(connection, "count", { key: "k" }));
    expect(failure).toMatchObject({
      judgement: "unauthorised",
      message: expect.stringContaining("the vault is closed"),
    });
    await expect(connector.connect(connectRequest())).rejects.toMatchObject({
      judgement: "unauthorised",
      message: expect.stringContaining("the vault is closed"),
    });
    make = () => ({ authorization: "s3cret\nx" });
    const bad = await failureOf(callTool(connection, "count", { key: "k" }));
    expect(bad.judgement).toBe("unauthorised");
    expect(`${bad.message} ${bad.cause}`).not.toContain("s3cret");
    expect(server.stats().executions.k).toBeUndefined();
  });
});

describe("an environment that a function supplies", SLOW, () => {
  test("is that of the identity, and its values are blotted out of stderr", async () => {
    const { command, args, env } = stdioTestServer();
    const connector = stdioConnector({
      command,
      args,
      env: async ({ identity }) => ({ ...env, USER_TOKEN: `token-of-${identity}` }),
    });
    const [ann, bob] = await Promise.all([open(connector, { identity: "ann" }), open(connector, { identity: "bob" })]);
    const tokenOf = async (connection: typeof ann) =>
      (await callForJson(connection, "session-info", { variables: ["USER_TOKEN"] })).variables;
    expect(await tokenOf(ann)).toEqual({ USER_TOKEN: "token-of-ann" });
    expect(await tokenOf(bob)).toEqual({ USER_TOKEN: "token-of-bob" });
  });

  test("fails the connect when the function fails, or is not done in time", async () => {
    const { command, args } = stdioTestServer();
    const failing = stdioConnector({ command, args, env: () => Promise.reject(new Error("no vault")) });
    await expect(failing.connect(connectRequest())).rejects.toMatchObject({
      judgement: "unauthorised",
      message: expect.stringContaining("no vault"),
    });
    const hanging = stdioConnector({ command, args, env: () => new Promise(() => {}) });
    await expect(hanging.connect(connectRequest({ timeoutMs: 50 }))).rejects.toMatchObject({ name: "ConnectFailure" });
    const signal = AbortSignal.abort(new Error("no longer"));
    await expect(hanging.connect(connectRequest({ signal }))).rejects.toThrow("no longer");
  });
});
