import { describe, expect, it, onTestFinished } from "vitest";
import { type CreateMcpPoolOptions, createMcpPool, McpConfigurationError, type McpPoolConfig } from "../src/index.ts";
import { configured } from "./configured.ts";

const CALL = { name: "echo" };

/** Returns the problems of a configuration that is refused. */
async function problemsOf(config: unknown, options: CreateMcpPoolOptions = {}): Promise<McpConfigurationError> {
  const error: unknown = await createMcpPool(config as McpPoolConfig, { env: {}, ...options }).catch((each) => each);
  expect(error).toBeInstanceOf(McpConfigurationError);
  expect(error).toMatchObject({ code: "INVALID_CONFIGURATION" });
  return error as McpConfigurationError;
}

function paths({ issues }: McpConfigurationError): string[] {
  return issues.map(({ path }) => path);
}

describe("a configuration", () => {
  it("opens nothing by itself", async () => {
    const { manager, connector } = await configured({ mcpServers: { a: { command: "a" } } });
    expect([...manager.pools.keys()]).toEqual(["a"]);
    expect(connector.connects).toEqual([]);
  });

  it("sets the pool of every server, and of single ones", async () => {
    const { manager } = await configured({
      mcpServers: { a: { command: "a" }, b: { url: "http://127.0.0.1/mcp" } },
      pool: { minConnections: 1, maxConnections: 4 },
      settings: { maxTotalConnections: 9 },
      serverConfigs: { b: { priority: 10, tags: ["x"], maxConcurrentRequests: 1, pool: { maxConnections: 8 } } },
    });
    expect(manager.pool("a").stats().connections).toMatchObject({ min: 1, max: 4 });
    expect(manager.pool("b").stats().connections).toMatchObject({ min: 1, max: 8 });
    expect(manager.stats()).toMatchObject({ maxTotalConnections: 9, servers: { b: { priority: 10, tags: ["x"] } } });
    expect(manager.servers({ tag: "x" })).toEqual(["b"]);
    const held = await manager.acquire("b");
    await expect(manager.acquire("b", { timeoutMs: 20 })).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    held.release();
  });

  it("may ask that calls have an identity", async () => {
    const { manager } = await configured({
      mcpServers: { a: { command: "a" } },
      serverConfigs: { a: { identityRequired: true, requestTimeoutMs: 100 } },
    });
    await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    await manager.callTool("a", CALL, { identity: "me" });
  });

  it("is completed with the variables of the environment", async () => {
    const env = { HOST: "example.com", TOKEN: "s3cret", EMPTY: "" };
    const { made } = await configured(
      {
        mcpServers: {
          // biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
          a: {
            command: "a",
            args: ["--host=${HOST}", "${PORT:-80}"],
            env: { TOKEN: "${TOKEN}" },
            cwd: "${EMPTY:-/tmp}",
          },
          b: { url: "https://${HOST}/mcp", headers: { authorization: "Bearer ${TOKEN}", plain: "$TOKEN" } },
          // biome-ignore-end lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
        },
      },
      { env },
    );
    expect(made).toEqual([
      {
        name: "a",
        config: { type: "stdio", command: "a", args: ["--host=example.com", "80"], env: { TOKEN: "s3cret" }, cwd: "" },
      },
      {
        name: "b",
        config: {
          type: "streamable-http",
          sseFallback: true,
          url: "https://example.com/mcp",
          headers: { authorization: "Bearer s3cret", plain: "$TOKEN" },
        },
      },
    ]);
  });

  it("is completed with the variables of this process unless told otherwise", async () => {
    process.env.MCP_POOL_TEST = "from here";
    onTestFinished(() => {
      delete process.env.MCP_POOL_TEST;
    });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
    const { made } = await configured({ mcpServers: { a: { command: "${MCP_POOL_TEST}" } } });
    expect(made[0]?.config).toEqual({ type: "stdio", command: "from here", args: [], env: {} });
  });

  it("leaves a server to the built-in connector where the given function says nothing of it", async () => {
    const manager = await createMcpPool(
      { mcpServers: { a: { command: "mcp-pool-no-such-command" } }, pool: { minConnections: 0 } },
      { connector: () => undefined },
    );
    await expect(manager.callTool("a", CALL)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    await manager.close();
  });

  it("installs the plugins it is given", async () => {
    const installed: string[] = [];
    const plugin = {
      name: "x",
      install: ({ serverName }: { serverName: string }) => ({ handle: installed.push(serverName) }),
    };
    await configured({ mcpServers: { a: { command: "a" }, b: { command: "b" } } }, { plugins: [plugin] });
    expect(installed).toEqual(["a", "b"]);
  });
});

describe("a bad configuration", () => {
  it("is told all its problems at once, each with its path", async () => {
    const error = await problemsOf({
      mcpServers: {
        both: { command: "a", url: "http://127.0.0.1" },
        neither: {},
        // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like
        unset: { command: "${NOT_SET}", args: ["${NOT_SET_EITHER}"] },
        types: { command: "", args: "-y", env: { A: 1 }, cwd: 7, comand: "a" },
        remote: { type: "htp", url: "not a url", headers: "none" },
        ftp: { url: "ftp://127.0.0.1/mcp" },
        header: { url: "http://127.0.0.1/mcp", headers: { authorization: "a\nb", "bad name": "a", fine: "a" } },
        mixed: { type: "sse", command: "a" },
        text: "npx server",
        fine: { command: "a" },
      },
      pool: { maxConnections: 0, maxConections: 3 },
      settings: { maxTotalConnections: -1, maxConnections: 3 },
      serverConfigs: {
        nowhere: {},
        fine: {
          priority: "high",
          prioritty: 1,
          connector: {},
          maxConcurrentRequests: 0,
          pool: { minConnections: 3, maxConnections: 2, sharing: "sometimes" },
        },
        text: "none",
      },
      servers: {},
    });
    expect(paths(error).sort()).toEqual(
      [
        "mcpServers.both",
        "mcpServers.neither",
        "mcpServers.unset.command",
        "mcpServers.unset.args.0",
        "mcpServers.types.command",
        "mcpServers.types.args",
        "mcpServers.types.env.A",
        "mcpServers.types.cwd",
        "mcpServers.types.comand",
        "mcpServers.remote.type",
        "mcpServers.remote.url",
        "mcpServers.remote.headers",
        "mcpServers.ftp.url",
        "mcpServers.header.headers.authorization",
        "mcpServers.header.headers.bad name",
        "mcpServers.mixed.type",
        "mcpServers.text",
        "pool.maxConnections",
        "pool.maxConections",
        "settings.maxTotalConnections",
        "settings.maxConnections",
        "serverConfigs.nowhere",
        "serverConfigs.fine.priority",
        "serverConfigs.fine.prioritty",
        "serverConfigs.fine.connector",
        "serverConfigs.fine.maxConcurrentRequests",
        "serverConfigs.fine.pool.sharing",
        "serverConfigs.fine.pool.minConnections",
        "serverConfigs.text",
        "servers",
      ].sort(),
    );
    for (const { message } of error.issues) expect(message).not.toBe("");
    expect(error.message.split("\n")).toHaveLength(1);
  });

  it.each([
    [{ pool: { minConnections: 3, maxConnections: 2 } }, "pool.minConnections", /3 > 2/],
    [{ pool: { maxConnections: -1 } }, "pool.maxConnections", /at least 1/],
    [{ pool: { acquireTimeoutMs: -5 } }, "pool.acquireTimeoutMs", /at least 1/],
    [{ pool: { sharing: "sometimes" } }, "pool.sharing", /"shared" or "exclusive"/],
    [{ pool: 7 }, "pool", /object/],
    [{ pool: null }, "pool", /object/],
    [{ settings: [] }, "settings", /object/],
    [{ mcpServers: [] }, "mcpServers", /object/],
    [{ mcpServers: null }, "mcpServers", /object/],
    [{ mcpServers: undefined }, "mcpServers", /missing/],
    [{ serverConfigs: "a" }, "serverConfigs", /object/],
    [{ serverConfigs: { b: {} } }, "serverConfigs.b", /known: a/],
    [
      { serverConfigs: { a: { pool: { maxConnections: 1, minConnections: 2 } } } },
      "serverConfigs.a.pool.minConnections",
      /2 > 1/,
    ],
    [{ serverConfigs: { a: { tags: "production" } } }, "serverConfigs.a.tags", /list of strings/],
    [{ serverConfigs: { a: { identityRequired: "yes" } } }, "serverConfigs.a.identityRequired", /true or false/],
    [{ serverConfigs: { constructor: {} } }, "serverConfigs.constructor", /no such server/],
  ])("such as %j is refused", async (part, path, message) => {
    const error = await problemsOf({ mcpServers: { a: { command: "a" } }, ...part });
    expect(error.issues).toMatchObject([{ path, message: expect.stringMatching(message) }]);
  });

  it.each([null, [], 7])("is refused when it is %j", async (config) => {
    expect((await problemsOf(config)).message).toMatch(/must be an object with keys such as mcpServers and pool, not /);
  });

  it("is refused when there is none, or no file of that name", async () => {
    expect((await problemsOf(undefined)).message).toContain("MCP_CONFIG_PATH names no file");
    expect((await problemsOf("no-such-file.yaml")).message).toMatch(/no-such-file\.yaml: there is no such file/);
  });

  it("shows no secret in any message", async () => {
    const env = { TOKEN: "s3cret" };
    /* biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like */
    const error = await problemsOf(
      {
        mcpServers: {
          a: { type: "${TOKEN}", url: "${TOKEN}", headers: { authorization: ["Bearer ${TOKEN}"] }, key: "${TOKEN}" },
          b: { url: "ftp://user:s3cret@127.0.0.1" },
          e: { url: "http://127.0.0.1", headers: { authorization: "Bearer s3cret\n" + "s3cret" } },
          c: { command: "a", args: [["${TOKEN}"]], env: { TOKEN: ["${TOKEN}"] } },
          d: { command: "${TOKEN}", url: "${TOKEN}", cwd: "${TOKEN}${UNSET}" },
        },
      },
      { env },
    );
    /* biome-ignore-end lint/suspicious/noTemplateCurlyInString: that is what a configuration looks like */
    expect(error.issues.length).toBeGreaterThanOrEqual(7);
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain("s3cret");
  });
});
