import { startHttpTestServer, stdioTestServer } from "@mcp-pool/test-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { createMcpPool, type McpPoolConfig, type McpPoolManager } from "../src/index.ts";

const IDENTITIES = 50;
const CALLS = 8_000;
const AT_A_TIME = 200;

interface Seen {
  readonly sessionId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, unknown>>;
}

async function startServer() {
  const server = await startHttpTestServer({ jsonResponse: true });
  onTestFinished(() => server.close());
  const config: McpPoolConfig = {
    mcpServers: { web: { type: "streamable-http", url: server.url.href, headers: { "x-tenant": "all" } } },
    serverConfigs: { web: { identityRequired: true, pool: { maxConnections: 2 } } },
    settings: { maxTotalConnections: 2 * IDENTITIES },
  };
  return { server, config };
}

/** A manager whose identities have tokens that an async function supplies. */
async function managerOf(config: McpPoolConfig): Promise<McpPoolManager> {
  const manager = await createMcpPool(config, {
    credentials: async ({ identity }) => {
      await new Promise((resolve) => setImmediate(resolve));
      return { headers: { authorization: `Bearer token-of-${identity}` } };
    },
  });
  onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
  return manager;
}

async function ask(
  manager: McpPoolManager,
  identity: string,
  call: string,
  own: Readonly<Record<string, string>> = {},
): Promise<Seen> {
  const params = { name: "session-info", arguments: { headers: ["authorization", "x-tenant", "x-call"] } };
  const options = {
    identity: Number(call) % 2 === 0 ? identity : async () => identity,
    headers: Number(call) % 3 === 0 ? { "x-call": call, ...own } : async () => ({ "x-call": call, ...own }),
    meta: { call, identity },
  };
  const { structuredContent } = await manager.callTool("web", params, options);
  return structuredContent as unknown as Seen;
}

describe("identities", { timeout: 120_000 }, () => {
  test("never meet: 8 000 concurrent calls of 50, in random order, see their own sessions and credentials only", async () => {
    const { server, config } = await startServer();
    const manager = await managerOf(config);
    const owners = new Map<string, string>();
    const crossings: unknown[] = [];
    let next = 0;
    const caller = async () => {
      for (let call = next++; call < CALLS; call = next++) {
        const identity = `user-${Math.floor(Math.random() * IDENTITIES)}`;
        const { sessionId, headers, meta } = await ask(manager, identity, String(call));
        const owner = owners.get(sessionId) ?? identity;
        owners.set(sessionId, owner);
        const expected = { authorization: `Bearer token-of-${identity}`, "x-tenant": "all", "x-call": String(call) };
        const isOwn =
          owner === identity &&
          meta.call === String(call) &&
          meta.identity === identity &&
          Object.entries(expected).every(([name, value]) => headers[name] === value);
        if (!isOwn) crossings.push({ identity, call, owner, headers, meta });
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, caller));
    expect(crossings).toEqual([]);
    expect(new Set(owners.values()).size).toBe(IDENTITIES);
    expect(server.stats().requests["tools/call"]).toBe(CALLS);
    // A second connection that was opened beside the callers may have come too late to be used.
    const { opened } = server.stats().sessions;
    expect(opened).toBeGreaterThanOrEqual(owners.size);
    expect(opened).toBeLessThanOrEqual(2 * IDENTITIES);
  });

  test("of no name are refused where one is required, also when a function names nobody", async () => {
    const { server, config } = await startServer();
    const manager = await managerOf(config);
    const params = { name: "session-info" };
    for (const identity of [undefined, () => undefined, async () => undefined]) {
      const refused = manager.callTool("web", params, { identity });
      await expect(refused).rejects.toMatchObject({ code: "VALIDATION_FAILED", issues: [{ path: "identity" }] });
      await expect(manager.acquire("web", { identity })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    }
    expect(server.stats().sessions.opened).toBe(0);
  });

  test("share a connection with headers and _meta of single calls, which open no other", async () => {
    const { server, config } = await startServer();
    const manager = await managerOf(config);
    await ask(manager, "ann", "0");
    const calls = Array.from({ length: 30 }, (_, call) =>
      ask(manager, "ann", String(call), { "x-tenant": `t${call}` }),
    );
    const seen = await Promise.all(calls);
    expect(seen.map(({ headers, meta }) => [headers["x-call"], headers["x-tenant"], meta.call])).toEqual(
      seen.map((_, call) => [String(call), `t${call}`, String(call)]),
    );
    expect(new Set(seen.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(server.stats().sessions.opened).toBe(1);
  });

  test("may have OAuth providers, and servers that are processes get their credentials as variables", async () => {
    const server = await startHttpTestServer({ bearerToken: "token-of-ann" });
    onTestFinished(() => server.close());
    const asked: unknown[] = [];
    const manager = await createMcpPool(
      { mcpServers: { web: { url: server.url.href }, files: stdioTestServer() }, pool: { maxConnections: 1 } },
      {
        credentials: ({ serverName, identity }) =>
          serverName === "files" ? { env: { TOKEN: `token-of-${identity}` } } : undefined,
        authProvider: (request) => {
          asked.push(request);
          return providerOf(`token-of-${request.identity}`);
        },
      },
    );
    onTestFinished(() => manager.close({ drainTimeoutMs: 0 }));
    const echo = { name: "echo", arguments: { message: "hi" } };
    await expect(manager.callTool("web", echo, { identity: "ann" })).resolves.toBeDefined();
    await expect(manager.callTool("web", echo, { identity: "bob" })).rejects.toMatchObject({
      code: "CONNECTION_FAILED",
    });
    expect(asked).toContainEqual({ serverName: "web", identity: "ann" });
    const info = { name: "session-info", arguments: { variables: ["TOKEN"] } };
    const { structuredContent } = await manager.callTool("files", info, { identity: "ann" });
    expect(structuredContent).toMatchObject({ variables: { TOKEN: "token-of-ann" } });
  });
});

/** A provider whose user has agreed already, and will not agree again. */
function providerOf(token: string) {
  return {
    redirectUrl: "http://127.0.0.1/callback",
    clientMetadata: { redirect_uris: ["http://127.0.0.1/callback"] },
    clientInformation: () => ({ client_id: "pool" }),
    tokens: () => ({ access_token: token, token_type: "Bearer" }),
    saveTokens: () => undefined,
    redirectToAuthorization: () => undefined,
    saveCodeVerifier: () => undefined,
    codeVerifier: () => "",
  };
}
