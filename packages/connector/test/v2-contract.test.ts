import { type ConnectorContractOptions, connectorContract } from "@mcp-pool/core/testing";
import {
  Backend,
  type InMemoryServer,
  type ModernHttpServer,
  type ModernServerOptions,
  modernStdioServer,
  serveInMemory,
  startModernHttpServer,
} from "@mcp-pool/modern-test-server";
import {
  createTestServer,
  type HttpTestServer,
  type HttpTestServerOptions,
  type ServerCommand,
  startHttpTestServer,
  stdioTestServer,
} from "@mcp-pool/test-server";
import { describe, onTestFinished, test } from "vitest";
import { httpConnector, inMemoryConnector, stdioConnector } from "../src/index.ts";
import { type SdkV2Options, sdkV2 } from "../src/v2/index.ts";
import { SLOW } from "./connecting.ts";

const call = (name: string, args: object = {}) => ({ method: "tools/call", params: { name, arguments: args } });

const thrown = { code: -32_001, message: "thrown", data: { why: [1] } };

const calls = {
  echo: (message: string) => call("echo", { message }),
  error: { ...call("throw", thrown), code: thrown.code, data: thrown.data },
  slow: call("hang"),
  notify: { ...call("log", { message: "hello" }), notification: "notifications/message" },
} satisfies Partial<ConnectorContractOptions>;

/** Errors of tools are results on the 2.x SDK's server, so it has a method that fails. */
const modernCalls = {
  ...calls,
  error: { method: "test/throw", params: thrown, code: thrown.code, data: thrown.data },
};

/** A server of the legacy era, over the old transports. */
function legacyHttp(
  transport: "auto" | "sse",
  era: SdkV2Options["era"],
  serverOptions: HttpTestServerOptions = {},
): ConnectorContractOptions {
  let server: HttpTestServer | undefined;
  const sdk = sdkV2({ era });
  const connect = async (extra: HttpTestServerOptions = {}) => {
    const started = await startHttpTestServer({ ...serverOptions, ...extra });
    onTestFinished(() => started.close());
    server = started;
    return httpConnector({ url: transport === "sse" ? started.sseUrl : started.url, transport, sdk });
  };
  return {
    ...calls,
    ...(serverOptions.jsonResponse && { notify: "skip" }),
    connector: () => connect(),
    // A connection over Streamable HTTP never ends by itself: there is nothing that could.
    kill: transport === "sse" ? () => void server?.dropStreams({ which: "listen" }) : "skip",
    refused: () => httpConnector({ url: "http://127.0.0.1:9/mcp", transport, sdk }),
    silent: () => connect({ hangOnInitialize: true }),
  };
}

function modernHttp(era: SdkV2Options["era"], options: ModernServerOptions = {}): ConnectorContractOptions {
  const sdk = sdkV2({ era });
  const connect = async (use: (server: ModernHttpServer) => void = () => {}) => {
    const server = await startModernHttpServer(options);
    onTestFinished(() => server.stop());
    use(server);
    return httpConnector({ url: server.url, sdk });
  };
  return {
    ...modernCalls,
    connector: () => connect(),
    kill: "skip",
    refused: () => httpConnector({ url: "http://127.0.0.1:9/mcp", sdk }),
    silent: () => connect((server) => server.holdNext("server/discover")),
  };
}

function overStdio(
  server: ServerCommand,
  calls: Pick<ConnectorContractOptions, "echo" | "error" | "slow" | "notify">,
  era?: SdkV2Options["era"],
): ConnectorContractOptions {
  const sdk = sdkV2({ era });
  return {
    ...calls,
    connector: () => stdioConnector({ ...server, sdk }),
    kill: ({ endpoint }) => void process.kill(endpoint.processId ?? 0, "SIGKILL"),
    refused: () => stdioConnector({ command: "no-such-command", sdk }),
    silent: () => stdioConnector({ ...stdioTestServer({ TEST_SERVER_HANG_ON_INITIALIZE: "1" }), sdk }),
  };
}

function modernInMemory(): ConnectorContractOptions {
  let server: InMemoryServer | undefined;
  const sdk = sdkV2();
  return {
    ...modernCalls,
    connector: () =>
      inMemoryConnector({
        sdk,
        server: () => {
          server = serveInMemory(new Backend({}));
          return server;
        },
      }),
    kill: async () => server?.close(),
    refused: () => inMemoryConnector({ sdk, server: () => Promise.reject(new Error("refused")) }),
    silent: () => inMemoryConnector({ sdk, server: () => ({ connect: async () => {} }) }),
  };
}

function legacyInMemory(): ConnectorContractOptions {
  let server: ReturnType<typeof createTestServer> | undefined;
  const sdk = sdkV2();
  return {
    ...modernInMemory(),
    ...calls,
    connector: () =>
      inMemoryConnector({
        sdk,
        server: () => {
          server = createTestServer();
          return server;
        },
      }),
    kill: async () => server?.close(),
  };
}

const connectors: Readonly<Record<string, ConnectorContractOptions>> = {
  "stdio to a modern server": overStdio(modernStdioServer({ MODERN_ONLY: "1" }), modernCalls),
  "stdio to a legacy server": overStdio(stdioTestServer(), calls),
  "stdio to a server of both eras, in the legacy one": overStdio(modernStdioServer(), modernCalls, "legacy"),
  "Streamable HTTP to a modern server": modernHttp("auto"),
  "Streamable HTTP to a modern server, pinned": modernHttp({ pin: "2026-07-28" }, { modernOnly: true }),
  "Streamable HTTP to a legacy server": legacyHttp("auto", "auto"),
  "Streamable HTTP to a legacy server with JSON answers": legacyHttp("auto", "legacy", { jsonResponse: true }),
  "HTTP+SSE": legacyHttp("sse", "auto"),
  "in memory to a modern server": modernInMemory(),
  "in memory to a legacy server": legacyInMemory(),
};

describe.each(Object.entries(connectors))("the connector on the 2.x SDK, over %s", SLOW, (_, options) => {
  test.each(connectorContract(options))("$name", ({ run }) => run());
});
