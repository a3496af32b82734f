import { McpConnectionPool } from "@mcp-pool/core";
import { startHttpTestServer } from "@mcp-pool/test-server";
import { UnauthorizedError as UnauthorizedErrorV2 } from "@modelcontextprotocol/client";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpConnector } from "../src/http/index.ts";
import { sdkV2 } from "../src/v2/index.ts";
import { callTool, connectRequest, failureOf, open, SLOW } from "./connecting.ts";
import { providerOf, startOAuthServer, type TokenStore } from "./oauth-server.ts";

async function startServers() {
  const server = await startHttpTestServer();
  onTestFinished(() => server.close());
  const oauth = await startOAuthServer(server);
  const store: TokenStore = { tokens: oauth.issue() };
  return { server, oauth, store };
}

const SDKS = [
  ["1.x", undefined, UnauthorizedError],
  ["2.x", sdkV2({ era: "legacy" }), UnauthorizedErrorV2],
] as const;

describe.each(SDKS)("the OAuth provider of the %s SDK", SLOW, (_, sdk, Unauthorized) => {
  test("supplies the tokens of a pool, whose concurrent calls refresh an expired one once", async () => {
    const { server, oauth, store } = await startServers();
    const connector = httpConnector({ sdk, url: server.url, authProvider: providerOf(oauth, store) });
    const pool = new McpConnectionPool(connector, {
      minConnections: 4,
      maxConnections: 4,
      maxRequestsPerConnection: 16,
    });
    onTestFinished(() => pool.close({ drainTimeoutMs: 0 }));
    await pool.warmUp();
    expect(oauth.refreshes).toEqual([]);
    for (let round = 1; round <= 3; round++) {
      server.requireBearerToken("expired");
      const calls = Array.from({ length: 60 }, (_, index) =>
        pool.client.callTool({ name: "count", arguments: { key: `${round}/${index}` } }),
      );
      await Promise.all(calls);
      expect(oauth.refreshes).toHaveLength(round);
    }
    expect(oauth.isRevoked).toBe(false);
    expect(Object.values(server.stats().executions).every(({ started }) => started === 1)).toBe(true);
    expect(pool.stats().connections.total).toBe(4);
  });

  test("may be another object for each connection: a refresh token is still spent once", async () => {
    const { server, oauth, store } = await startServers();
    const connector = httpConnector({ sdk, url: server.url, authProvider: () => providerOf(oauth, store) });
    const connections = await Promise.all(Array.from({ length: 6 }, () => open(connector)));
    server.requireBearerToken("expired");
    await Promise.all(connections.map((connection) => callTool(connection, "echo", { message: "" })));
    expect(oauth.refreshes).toHaveLength(1);
    expect(oauth.isRevoked).toBe(false);
  });

  test("is that of the identity", async () => {
    const { server, oauth, store } = await startServers();
    const asked: unknown[] = [];
    const connector = httpConnector({
      sdk,
      url: server.url,
      authProvider: (request) => {
        asked.push(request);
        return request.identity === "ann" ? providerOf(oauth, store) : undefined;
      },
    });
    const ann = await open(connector, { identity: "ann" });
    await expect(callTool(ann, "echo", { message: "" })).resolves.toBeDefined();
    await expect(connector.connect(connectRequest({ identity: "bob" }))).rejects.toMatchObject({
      judgement: "unauthorised",
    });
    expect(asked).toEqual([
      { serverName: "test", identity: "ann" },
      { serverName: "test", identity: "bob" },
    ]);
  });

  test("fails calls as unauthorised where the user must agree first, and serves them once that is done", async () => {
    const { server, oauth, store } = await startServers();
    const led: URL[] = [];
    const provider = { ...providerOf(oauth, store), redirectToAuthorization: (url: URL) => void led.push(url) };
    const connection = await open(httpConnector({ sdk, url: server.url, authProvider: provider }));
    store.tokens = undefined;
    const failure = await failureOf(callTool(connection, "count", { key: "k" }));
    expect(failure).toMatchObject({ judgement: "unauthorised", cause: expect.any(Unauthorized) });
    expect(led.map(({ origin, pathname }) => `${origin}${pathname}`)).toEqual([`${oauth.url}/authorize`]);
    store.tokens = oauth.issue();
    await expect(callTool(connection, "count", { key: "k" })).resolves.toBeDefined();
    expect(server.stats().executions.k?.started).toBe(1);
  });
});
